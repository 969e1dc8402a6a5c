import { LiveQuotesStore } from "../lib/store";
import type { FakeClock, FakeSource } from "./fakeSource";

/** Return a store of tenant acme's feed, with a fake source and clock. */
export function newStore(source: FakeSource, clock: FakeClock, stopWhenHidden = true): LiveQuotesStore {
  const names = { tenant: "acme", document: "market_ingest", collection: "live_quotes" };
  return new LiveQuotesStore(source, { ...names, stopWhenHidden, clock });
}
