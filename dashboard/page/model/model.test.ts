import { describe, expect, test } from "vitest";
import { FakeClock } from "../../src/testing/fakeClock";
import { FakeSource, sampleHeartbeat, sampleQuote } from "../../src/testing/fakeSource";
import { parseConfig } from "../config";
import { FreshnessStrip } from "./freshness-strip";
import { type PageSource, PageStore } from "./page-store";
import { BUCKETS, drawSamples, PriceHistory } from "./price-history";
import { countReasons, rowsOf } from "./rows";

class TestSource extends FakeSource implements PageSource {
  async signIn(): Promise<void> {
    this.setIdentity(true);
  }

  async signOut(): Promise<void> {
    this.setIdentity(false);
  }
}

class TestClock extends FakeClock {
  beforeFrame(action: () => void): void {
    queueMicrotask(action);
  }
}

/** Let the fake source answer, which it does in a later microtask. */
async function settle(): Promise<void> {
  for (let step = 0; step < 5; step += 1) {
    await Promise.resolve();
  }
}

async function openStore(symbols: string[], serverSkew: number | null = null) {
  const clock = new TestClock();
  const source = new TestSource();
  source.putHeartbeat(sampleHeartbeat(clock.now(), { stale: ["S7"] }));
  source.putQuotes(symbols.map((symbol) => sampleQuote(symbol, clock.now())));
  const config = parseConfig({ projectId: "p", emulatorHost: "h:1", tenant: "acme" });
  const store = new PageStore(config, source, { serverSkew, selected: null, clock });
  store.open();
  await settle();
  return { clock, source, store };
}

const symbols = (count: number) => Array.from({ length: count }, (_, index) => `S${index}`);

describe("the page's state", () => {
  test("it lists a collection once, and listens to what is on screen with at most 30 documents a listener", async () => {
    const { source, store } = await openStore(symbols(100));
    expect(store.board.quotes.size).toBe(100);
    store.board.show(symbols(45));
    await settle();
    expect(source.listenedIDs.map((ids) => ids.length)).toEqual([30, 15]);
    store.board.show(symbols(100).slice(60, 80));
    await settle();
    expect(source.listenedIDs.map((ids) => ids.length)).toEqual([20]);
    expect(store.meter.listeners).toBe(source.openListeners);
    expect(store.meter.total).toBe(source.documentsRead);
  });

  test("the worst rows come first, or all by symbol, and a search keeps what it finds", async () => {
    const { store } = await openStore(symbols(10));
    const rows = (order: "worst" | "symbol", search = "") =>
      rowsOf(store.board.quotes, store.rowContext(), order, search).map((row) => row.symbol);
    expect(rows("worst").slice(0, 2)).toEqual(["S7", "S0"]);
    expect(rows("symbol")).toEqual(symbols(10));
    expect(rows("symbol", "s3")).toEqual(["S3"]);
  });

  test("a status that changes is reported at once, so that the counts agree with the rows; a price is not", async () => {
    const { clock, source, store } = await openStore(symbols(3));
    store.board.show(symbols(3));
    await settle();
    const before = store.version;
    source.putQuotes([sampleQuote("S1", clock.now(), { price: 7 })]);
    await settle();
    expect(store.version).toBe(before);
    source.putQuotes([sampleQuote("S1", clock.now(), { status: "paused" })]);
    await settle();
    expect(store.version).toBeGreaterThan(before);
    const rows = rowsOf(store.board.quotes, store.rowContext(), "symbol", "");
    expect(countReasons(rows)).toEqual([
      ["paused", 1],
      ["live", 2],
    ]);
  });

  test("a hidden page has no listener, and a signed-out page has neither listeners nor quotes", async () => {
    const { source, store } = await openStore(symbols(5));
    store.board.show(symbols(5));
    store.setHidden(true);
    expect(source.openListeners).toBe(0);
    expect(store.asOf).not.toBeNull();
    store.setHidden(false);
    await settle();
    expect(store.asOf).toBeNull();
    await store.signOut();
    expect([source.openListeners, store.board.quotes.size]).toEqual([0, 0]);
    expect(store.badgeOf(store.selected).reason).toBe("not_signed_in");
  });

  test("a refused listener is explained, and opened again later", async () => {
    const { clock, source, store } = await openStore(symbols(2));
    source.fail("permission-denied");
    expect(store.badgeOf(store.selected).reason).toBe("denied");
    source.recover();
    clock.advance(11_000);
    await settle();
    expect(store.badgeOf(store.selected).reason).not.toBe("denied");
  });

  test("a heartbeat that is old makes the feed stale, also after the job has ended", async () => {
    const { clock, source, store } = await openStore(symbols(2));
    clock.advance(31_000);
    expect(store.badgeOf(store.selected).label).toBe("STALE");
    source.putHeartbeat(sampleHeartbeat(clock.now(), { status: "finished" }));
    expect(store.badgeOf(store.selected).label).toBe("STOPPED");
    clock.advance(60_000);
    expect(store.badgeOf(store.selected).label).toBe("STALE");
  });

  test("the clock of the page's server corrects ages until heartbeats measure the skew", async () => {
    const { clock, source, store } = await openStore(symbols(2), -60_000);
    expect(store.selected.skew).toBe(-60_000);
    clock.advance(1000);
    source.putHeartbeat(sampleHeartbeat(clock.now() - 50));
    expect(store.selected.skew).toBe(0);
  });

  test("a heartbeat that arrives twice does not change the skew", async () => {
    const { clock, source, store } = await openStore(symbols(2), 0);
    const heartbeat = sampleHeartbeat(clock.now());
    clock.advance(10_000);
    source.putHeartbeat(heartbeat);
    expect(store.selected.skew).toBe(0);
  });
});

test("a column of the strip keeps its worst state, and what the page has not seen is in no run", () => {
  const strip = new FreshnessStrip();
  const now = 3_600_000_000;
  strip.record(now, "live", 1);
  strip.record(now + 1000, "stale", 0.5);
  strip.record(now + 2000, "live", 1);
  expect(strip.runs(now + 2000)).toEqual([{ reason: "stale", share: 0.5, start: 359, end: 360 }]);
  expect(strip.runs(now + 10_000_000)).toEqual([]);
});

test("a gap between two prices is drawn as a gap and not as a line", () => {
  const history = new PriceHistory();
  const now = 4000 * 1000;
  for (const [ago, price] of [
    [40_000, 10],
    [36_000, 11],
    [8000, 12],
    [4000, null],
    [0, 13],
  ] as const) {
    history.record(now - ago, price);
  }
  const samples = history.read(now);
  expect(samples).toHaveLength(BUCKETS);
  const { path, gaps } = drawSamples(samples, 149, 20);
  expect(path.match(/M/g)).toHaveLength(3);
  expect(gaps).toHaveLength(2);
});
