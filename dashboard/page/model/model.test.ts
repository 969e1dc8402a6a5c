import { afterEach, describe, expect, test } from "vitest";
import { FakeClock } from "../../src/testing/fakeClock";
import { FakeSource, sampleHeartbeat, sampleQuote } from "../../src/testing/fakeSource";
import { setHidden, settle } from "../../src/testing/page";
import { parseConfig } from "../config";
import { FreshnessStrip } from "./freshness-strip";
import { type PageSource, PageStore } from "./page-store";
import { BUCKETS, drawSamples, PriceHistory } from "./price-history";
import { countStates, rowsOf } from "./rows";

class TestSource extends FakeSource implements PageSource {
  async signIn(): Promise<void> {
    this.setIdentity(true);
  }

  async signOut(): Promise<void> {
    this.setIdentity(false);
  }
}

const opened: PageStore[] = [];

afterEach(() => {
  for (const store of opened.splice(0)) {
    store.close();
  }
  setHidden(false);
});

interface Setup {
  serverSkewSeconds?: number;
  feeds?: { document?: string; tenant?: string }[];
}

async function openStore(symbols: string[], { serverSkewSeconds, feeds }: Setup = {}) {
  const clock = new FakeClock();
  const source = new TestSource();
  source.putHeartbeat(sampleHeartbeat(clock.now(), { stale: ["S7"] }));
  source.putQuotes(symbols.map((symbol) => sampleQuote(symbol, clock.now())));
  const config = parseConfig({ projectId: "p", emulatorHost: "h:1", tenant: "acme", feeds });
  const options = { serverSkewSeconds: serverSkewSeconds ?? null, selected: null, clock };
  const store = new PageStore(config, source, options);
  opened.push(store);
  store.open();
  await settle();
  return { clock, source, store };
}

const symbols = (count: number) => Array.from({ length: count }, (_, index) => `S${index}`);
const quotesOf = (store: PageStore) => store.selected.store.allQuotes();
const badgeOf = (store: PageStore) => store.selected.badge(store.now);

describe("the page's state", () => {
  test("it lists a collection once, and listens to what is on screen with at most 30 documents a listener", async () => {
    const { source, store } = await openStore(symbols(100));
    expect(quotesOf(store).size).toBe(100);
    store.selected.symbols.show(symbols(45));
    await settle();
    expect(source.listenedIDs.map((ids) => ids.length)).toEqual([30, 15]);
    store.selected.symbols.show(symbols(100).slice(60, 80));
    await settle();
    expect(source.listenedIDs.map((ids) => ids.length)).toEqual([20]);
    expect(quotesOf(store).size).toBe(100);
    expect(store.openListeners).toBe(source.openListeners);
    expect(store.documentsRead).toBe(source.documentsRead);
  });

  test("a feed that is not selected costs one listener, and its symbols are listed when it is selected", async () => {
    const { source, store } = await openStore(symbols(3), { feeds: [{}, { document: "crypto" }] });
    const [, crypto] = store.feeds;
    expect(store.openListeners).toBe(2);
    source.putQuote(sampleQuote("BTC/USD", store.now, { sessionID: "s-2" }));
    source.putHeartbeat(sampleHeartbeat(store.now, { sessionID: "s-2" }), "acme", "crypto");
    for (const feed of store.feeds) {
      store.select(feed);
      await settle();
    }
    expect(store.selected).toBe(crypto);
    const rows = rowsOf(quotesOf(store), store.rowContext(), "symbol", "");
    expect(rows.map(({ symbol, state }) => [symbol, state])).toEqual([["BTC/USD", "live"]]);
    expect(store.openListeners).toBe(2);
    expect(source.openListeners).toBe(2);
  });

  test("feeds of two tenants show their own quotes only, and share the sign-in", async () => {
    const { source, store } = await openStore(symbols(1), { feeds: [{}, { tenant: "beta" }] });
    source.putQuote(sampleQuote("ONLY-BETA", store.now), "beta");
    source.putHeartbeat(sampleHeartbeat(store.now), "beta");
    const [acme, beta] = store.feeds;
    if (!acme || !beta) {
      throw new Error("two feeds are configured");
    }
    store.select(beta);
    await settle();
    expect([...beta.store.allQuotes().keys()]).toEqual(["ONLY-BETA"]);
    store.select(acme);
    await settle();
    expect([...acme.store.allQuotes().keys()]).toEqual(["S0"]);
    await store.signOut();
    expect(store.feeds.map((each) => [each.state.signedIn, each.store.allQuotes().size])).toEqual([
      [false, 0],
      [false, 0],
    ]);
  });

  test("the worst rows come first, or all by symbol, and a search keeps what it finds", async () => {
    const { store } = await openStore(symbols(10));
    const rows = (order: "worst" | "symbol", search = "") =>
      rowsOf(quotesOf(store), store.rowContext(), order, search).map((row) => row.symbol);
    expect(rows("worst").slice(0, 2)).toEqual(["S7", "S0"]);
    expect(rows("symbol")).toEqual(symbols(10));
    expect(rows("symbol", "s3")).toEqual(["S3"]);
  });

  test("a quote that is live and must not be used is not counted as live", async () => {
    const { source, store } = await openStore(symbols(2));
    source.putQuote(sampleQuote("S1", store.now, { bid: 5, ask: 4 }));
    store.selected.symbols.show(symbols(2));
    await settle();
    expect(countStates(rowsOf(quotesOf(store), store.rowContext(), "worst", ""))).toEqual([
      ["not_usable", 1],
      ["live", 1],
    ]);
  });

  test("a status that changes is reported at once, so that the counts agree with the rows; a price is not", async () => {
    const { clock, source, store } = await openStore(symbols(3));
    store.selected.symbols.show(symbols(3));
    await settle();
    const before = store.version;
    source.putQuotes([sampleQuote("S1", clock.now(), { price: 7 })]);
    await settle();
    expect(store.version).toBe(before);
    source.putQuotes([sampleQuote("S1", clock.now(), { status: "paused" })]);
    await settle();
    expect(store.version).toBeGreaterThan(before);
    expect(countStates(rowsOf(quotesOf(store), store.rowContext(), "symbol", ""))).toEqual([
      ["paused", 1],
      ["live", 2],
    ]);
  });

  test("a hidden page has no listener, and a signed-out page has neither listeners nor quotes", async () => {
    const { source, store } = await openStore(symbols(5));
    store.selected.symbols.show(symbols(5));
    setHidden(true);
    expect(source.openListeners).toBe(0);
    expect(store.selected.asOf).not.toBeNull();
    setHidden(false);
    await settle();
    expect(store.selected.asOf).toBeNull();
    await store.signOut();
    expect([source.openListeners, quotesOf(store).size]).toEqual([0, 0]);
    expect(badgeOf(store)).toMatchObject({ word: "OFFLINE", message: "You are not signed in." });
    await store.signIn();
    await settle();
    expect(quotesOf(store).size).toBe(5);
  });

  test("a list that arrives after the user has signed out shows nothing", async () => {
    const { source, store } = await openStore([]);
    const listed = source.listQuotes.bind(source);
    let answer = () => {};
    source.listQuotes = async (tenant, collection) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return listed(tenant, collection);
    };
    source.putHeartbeat(sampleHeartbeat(store.now, { symbols: null }));
    source.putQuote(sampleQuote("S1", store.now));
    await settle();
    await store.signOut();
    answer();
    await settle();
    expect(quotesOf(store).size).toBe(0);
  });

  test("a refused listener is explained, and opened again later", async () => {
    const { clock, source, store } = await openStore(symbols(2));
    source.fail("permission-denied");
    expect(badgeOf(store)).toMatchObject({ word: "OFFLINE" });
    expect(store.selected.state.error?.code).toBe("permission-denied");
    source.recover();
    clock.advance(11_000);
    await settle();
    expect(store.selected.state.error).toBeNull();
  });

  test("a heartbeat that is old makes the feed stale, also after the job has ended", async () => {
    const { clock, source, store } = await openStore(symbols(2));
    clock.advance(31_000);
    expect(badgeOf(store).word).toBe("STALE");
    source.putHeartbeat(sampleHeartbeat(clock.now(), { status: "finished" }));
    expect(badgeOf(store).word).toBe("STOPPED");
    clock.advance(60_000);
    expect(badgeOf(store).word).toBe("STALE");
  });

  test("after the computer slept, what is shown is not current until Firestore answers again", async () => {
    const { clock, store } = await openStore(symbols(2));
    const receivedAt = clock.now();
    clock.jump(3_600_000);
    clock.advance(1000);
    expect(store.selected.asOf).toBe(receivedAt);
    expect(badgeOf(store).word).toBe("CONNECTING");
    await settle();
    expect(store.selected.asOf).toBeNull();
    expect(badgeOf(store).word).toBe("STALE");
  });

  test("the strip and the prices start when the page is opened, and have a gap where the page could not read", async () => {
    const { clock, source, store } = await openStore(symbols(1));
    const { strip, symbols: list } = store.selected;
    list.show(symbols(1));
    await settle();
    const beat = () => source.putHeartbeat(sampleHeartbeat(clock.now()));
    expect(strip.runs(store.now)).toEqual([]);
    for (const action of [beat, beat, () => source.fail("offline"), () => {}, () => source.recover(), beat]) {
      action();
      clock.advance(10_000);
    }
    expect(strip.runs(store.now).every(({ end, start }) => end - start <= 3)).toBe(true);
    expect(strip.runs(store.now).length).toBeGreaterThan(1);
    const { gaps, path } = drawSamples(list.historyOf("S0").read(store.now), 149, 20);
    expect(gaps).toHaveLength(1);
    expect(path.match(/M/g)).toHaveLength(2);
  });

  test("the clock of the page's server corrects ages until heartbeats measure the skew", async () => {
    const { clock, source, store } = await openStore(symbols(2), { serverSkewSeconds: -60 });
    expect(store.selected.state.skewSeconds).toBe(-60);
    clock.advance(1000);
    source.putHeartbeat(sampleHeartbeat(clock.now() - 50));
    expect(store.selected.state.skewSeconds).toBe(0);
  });

  test("a heartbeat that arrives twice does not change the skew", async () => {
    const { clock, source, store } = await openStore(symbols(2), { serverSkewSeconds: 0 });
    const heartbeat = sampleHeartbeat(clock.now());
    clock.advance(10_000);
    source.putHeartbeat(heartbeat);
    expect(store.selected.state.skewSeconds).toBe(0);
  });

  test("the reads per second are those of the last 10 s", async () => {
    const { clock, source, store } = await openStore(symbols(1));
    store.selected.symbols.show(symbols(1));
    clock.advance(20_000);
    for (let second = 0; second < 10; second += 1) {
      source.putQuotes([sampleQuote("S0", clock.now())]);
      source.putQuotes([sampleQuote("S0", clock.now())]);
      clock.advance(1000);
    }
    expect(store.meter.perSecond).toBe(2);
    clock.advance(11_000);
    expect(store.meter.perSecond).toBe(0);
  });
});

test("a column of the strip keeps its worst state, and what the page has not seen is in no run", () => {
  const strip = new FreshnessStrip();
  const now = 3_600_000_000;
  strip.record(now, "live", 1);
  strip.record(now + 1000, "stale", 0.5);
  strip.record(now + 2000, "live", 1);
  expect(strip.runs(now + 2000)).toEqual([{ state: "stale", share: 0.5, start: 359, end: 360 }]);
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

test("a gap that is shorter than a sample leaves a gap in the line, except before the first price", () => {
  const history = new PriceHistory();
  const start = 4000 * 1000;
  for (let second = 0; second < 12; second += 1) {
    history.record(start + second * 1000, second === 0 || second === 5 ? null : 10);
  }
  const { path, gaps } = drawSamples(history.read(start + 11_000), 149, 20);
  expect(gaps).toHaveLength(1);
  expect(path.match(/M/g)).toHaveLength(2);
});
