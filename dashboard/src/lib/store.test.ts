import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeClock, FakeSource, sampleHeartbeat, sampleQuote } from "../testing/fakeSource";
import { newStore } from "../testing/newStore";
import { setHidden, settle } from "../testing/page";
import { LiveQuotesStore } from "./store";

let clock: FakeClock;
let source: FakeSource;
let store: LiveQuotesStore;

beforeEach(() => {
  clock = new FakeClock();
  source = new FakeSource();
  store = newStore(source, clock);
});

afterEach(() => setHidden(false));

function symbolsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `S${index}`);
}

describe("listening", () => {
  test("a listener names at most 30 documents, and a symbol with a slash has its document", async () => {
    store.setSymbols([...symbolsOf(64), "BTC/USD", "S0"]);
    store.start();
    await settle();
    expect(source.listenedIDs.map((ids) => ids.length)).toEqual([30, 30, 5]);
    expect(source.listenedIDs[2]).toContain("BTC-USD");
    expect(store.openListeners).toBe(4);
  });

  test("a change of the symbols opens and closes only what it needs", async () => {
    store.setSymbols(symbolsOf(60));
    store.start();
    await settle();
    const [first] = source.listenedIDs;
    store.setSymbols([...symbolsOf(30), "NEW"]);
    await settle();
    expect(source.listenedIDs).toEqual([first, ["NEW"]]);
  });

  test("a symbol that comes back while its listener is open has its quote at once", async () => {
    source.putQuotes([sampleQuote("S0", 0), sampleQuote("S1", 0)]);
    store.setSymbols(["S0", "S1"]);
    store.start();
    await settle();
    store.setSymbols(["S0"]);
    store.setSymbols(["S0", "S1"]);
    expect(store.quote("S1")?.symbol).toBe("S1");
  });

  test("stop closes everything, and a second user of the store keeps it open", async () => {
    store.setSymbols(["SPY"]);
    const stopFirst = store.start();
    const stopSecond = store.start();
    await settle();
    stopFirst();
    stopFirst();
    expect(source.openListeners).toBe(2);
    stopSecond();
    expect(source.openListeners).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  test("it counts the documents that it reads", async () => {
    source.putHeartbeat(sampleHeartbeat(0));
    source.putQuotes([sampleQuote("SPY", 0), sampleQuote("AAPL", 0)]);
    store.setSymbols(["SPY", "AAPL", "MSFT"]);
    store.start();
    await settle();
    source.putQuote(sampleQuote("SPY", 1));
    source.putQuote(sampleQuote("TSLA", 1));
    expect(store.documentsRead).toBe(4);
    expect(source.documentsRead).toBe(4);
  });
});

describe("subscriptions", () => {
  test("a quote reaches the subscribers of its symbol and no others", async () => {
    store.setSymbols(["SPY", "AAPL"]);
    store.start();
    await settle();
    const [ofSPY, ofAAPL, ofFeed] = [vi.fn(), vi.fn(), vi.fn()];
    store.subscribeQuote("SPY", ofSPY);
    const unsubscribe = store.subscribeQuote("AAPL", ofAAPL);
    store.subscribe(ofFeed);
    source.putQuote(sampleQuote("SPY", 1, { price: 5 }));
    expect([ofSPY, ofAAPL, ofFeed].map((each) => each.mock.calls.length)).toEqual([1, 0, 0]);
    expect(store.quote("SPY")?.price).toBe(5);
    unsubscribe();
    source.putQuote(sampleQuote("AAPL", 1));
    expect(ofAAPL).not.toHaveBeenCalled();
  });

  test("a quote is undefined until Firestore answers, and null without a document", async () => {
    store.setSymbols(["SPY"]);
    store.start();
    expect(store.quote("SPY")).toBeUndefined();
    await settle();
    expect(store.quote("SPY")).toBeNull();
    source.putQuote(sampleQuote("SPY", 1));
    source.removeQuote("SPY");
    expect(store.quote("SPY")).toBeNull();
  });
});

test("changes of quotes are reported once for each call of `batch`", async () => {
  const names = { tenant: "acme", document: "market_ingest", collection: "live_quotes" };
  const flushes: (() => void)[] = [];
  const batch = (flush: () => void) => void flushes.push(flush);
  store = new LiveQuotesStore(source, { ...names, stopWhenHidden: true, clock, batch });
  store.setSymbols(["SPY", "AAPL"]);
  store.start();
  await settle();
  flushes.splice(0)[0]?.();
  const [ofSPY, ofAll] = [vi.fn(), vi.fn()];
  store.subscribeQuote("SPY", ofSPY);
  store.subscribeQuotes(ofAll);
  for (const symbol of ["SPY", "AAPL", "SPY"]) {
    source.putQuote(sampleQuote(symbol, 1));
  }
  expect(flushes).toHaveLength(1);
  expect(ofSPY).not.toHaveBeenCalled();
  flushes[0]?.();
  expect(ofSPY).toHaveBeenCalledTimes(1);
  expect(ofAll.mock.calls).toEqual([[["SPY", "AAPL"]]]);
});

describe("a hidden page", () => {
  test("stops to read at once, and reads again when it is visible", async () => {
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    store.setSymbols(["SPY"]);
    store.start();
    await settle();
    setHidden(true);
    expect(source.openListeners).toBe(0);
    const readBefore = source.documentsRead;
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    expect(source.documentsRead).toBe(readBefore);
    expect(store.feed()).toMatchObject({ isListening: false, hasAnswered: false, asOf: clock.now() });
    setHidden(false);
    expect(store.feed().isListening).toBe(true);
    await settle();
    expect(store.feed().hasAnswered).toBe(true);
    expect(source.openListeners).toBe(2);
  });

  test("keeps reading where stopWhenHidden is false", async () => {
    store = newStore(source, clock, false);
    store.start();
    await settle();
    setHidden(true);
    expect(source.openListeners).toBe(1);
  });

  test("that is hidden from the start does not read", async () => {
    setHidden(true);
    store.start();
    await settle();
    expect(source.documentsRead).toBe(0);
  });
});

describe("failures and sign-in", () => {
  test("nothing is read before the sign-in, and nothing of a tenant stays after it ends", async () => {
    source.setIdentity(false);
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    source.putQuote(sampleQuote("SPY", 1));
    store.setSymbols(["SPY"]);
    store.start();
    await settle();
    expect(store.feed().signedIn).toBe(false);
    expect(source.openListeners).toBe(0);
    source.setIdentity(true);
    await settle();
    expect(store.quote("SPY")?.symbol).toBe("SPY");
    source.setIdentity(false);
    expect(store.feed()).toMatchObject({ signedIn: false, heartbeat: null, isListening: false });
    expect(store.quote("SPY")).toBeUndefined();
  });

  test("a listener that is refused is opened again after 10 s", async () => {
    source.fail("permission-denied");
    store.setSymbols(["SPY"]);
    store.start();
    await settle();
    expect(store.feed().error?.code).toBe("permission-denied");
    expect(store.openListeners).toBe(0);
    source.recover();
    clock.advance(9_999);
    expect(source.openListeners).toBe(0);
    clock.advance(1);
    await settle();
    expect(store.feed()).toMatchObject({ error: null, hasAnswered: true });
    expect(source.openListeners).toBe(2);
  });

  test("a stop while a retry waits leaves no timer", async () => {
    source.fail("unavailable");
    store.setSymbols(["SPY"]);
    const stop = store.start();
    await settle();
    stop();
    expect(clock.timerCount).toBe(0);
  });

  test("a listener that is offline stays open and recovers by itself", async () => {
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    store.setSymbols(["SPY"]);
    store.start();
    await settle();
    source.fail("offline");
    expect(store.feed()).toMatchObject({ hasAnswered: false, error: { code: "offline", ended: false } });
    expect(store.feed().heartbeat).not.toBeNull();
    source.recover();
    expect(store.feed()).toMatchObject({ hasAnswered: true, error: null });
  });
});

test("the skew is known from the second heartbeat on", async () => {
  source.putHeartbeat(sampleHeartbeat(clock.now() - 40_000));
  store.start();
  await settle();
  expect(store.feed().skewSeconds).toBe(0);
  clock.advance(15_000);
  source.putHeartbeat(sampleHeartbeat(clock.now() - 40_000));
  expect(store.feed().skewSeconds).toBe(40);
});

describe("a listed collection", () => {
  test("stays although nothing listens to it, and does not replace what a listener has delivered", async () => {
    source.putQuotes(symbolsOf(3).map((symbol) => sampleQuote(symbol, 1)));
    store.setSymbols(["S0"]);
    store.start();
    await settle();
    const listed = await source.listQuotes("acme", "live_quotes");
    source.putQuote(sampleQuote("S0", 2, { price: 7 }));
    const changed = vi.fn();
    store.subscribeQuotes(changed);
    store.setListedQuotes(listed);
    expect(changed.mock.calls).toEqual([[["S1", "S2"]]]);
    expect([...store.allQuotes().keys()]).toEqual(symbolsOf(3));
    expect(store.quote("S0")?.price).toBe(7);
    store.setSymbols([]);
    expect(store.quote("S2")?.symbol).toBe("S2");
    expect(store.documentsRead).toBe(source.documentsRead);
  });

  test("is forgotten where the next list does not have it, and when the sign-in ends", async () => {
    store.start();
    await settle();
    store.setListedQuotes(symbolsOf(2).map((id) => ({ id, quote: sampleQuote(id, 1) })));
    store.setListedQuotes([{ id: "S1", quote: sampleQuote("S1", 1) }]);
    expect([...store.allQuotes().keys()]).toEqual(["S1"]);
    source.setIdentity(false);
    expect(store.allQuotes().size).toBe(0);
  });
});
