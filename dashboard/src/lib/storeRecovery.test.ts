import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeClock, FakeSource, sampleHeartbeat } from "../testing/fakeSource";
import { newStore } from "../testing/newStore";
import { setHidden, settle } from "../testing/page";
import type { LiveQuotesStore } from "./store";

let clock: FakeClock;
let source: FakeSource;
let store: LiveQuotesStore;

beforeEach(() => {
  clock = new FakeClock();
  source = new FakeSource();
  store = newStore(source, clock);
});

afterEach(() => setHidden(false));

describe("a computer that sleeps or has no network", () => {
  test("reads again after sleep, and shows until then what it knew as of when", async () => {
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    store.setSymbols(["SPY"]);
    store.start();
    await settle();
    const asOf = clock.now();
    clock.jump(600_000);
    clock.advance(1000);
    expect(store.feed()).toMatchObject({ isListening: true, hasAnswered: false, asOf });
    await settle();
    expect(store.feed()).toMatchObject({ hasAnswered: true, asOf: clock.now() });
    expect(source.openListeners).toBe(2);
  });

  test("does not take the slow timer of a hidden page for sleep", async () => {
    store = newStore(source, clock, false);
    store.start();
    await settle();
    setHidden(true);
    const readBefore = source.documentsRead;
    clock.jump(60_000);
    clock.advance(1000);
    await settle();
    expect(source.documentsRead).toBe(readBefore);
  });

  test("that slept behind a hidden page reads once when the page is shown", async () => {
    store.start();
    await settle();
    setHidden(true);
    clock.jump(60_000);
    setHidden(false);
    await settle();
    const readBefore = source.documentsRead;
    clock.advance(1000);
    await settle();
    expect(source.documentsRead).toBe(readBefore);
  });

  test("is OFFLINE at once without a network, and reads again when it is back", async () => {
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    store.start();
    await settle();
    const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    window.dispatchEvent(new Event("offline"));
    expect(store.feed().error?.code).toBe("offline");
    online.mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    expect(store.feed()).toMatchObject({ error: null, hasAnswered: false });
    await settle();
    expect(store.feed().hasAnswered).toBe(true);
  });
});
