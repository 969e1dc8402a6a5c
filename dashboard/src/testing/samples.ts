import type { Heartbeat, Quote } from "../lib/types";

/** Return a sound quote of the session `s-1`, with the fields in `changes` replaced. */
export function sampleQuote(symbol: string, ts: number, changes: Partial<Quote> = {}): Quote {
  return {
    symbol,
    bid: 100,
    ask: 100.02,
    price: 100.01,
    priceBasis: "mid",
    bidSize: 3,
    askSize: 5,
    ts,
    writtenAt: ts,
    status: "live",
    sessionID: "s-1",
    epoch: 1,
    seq: 1,
    source: "synthetic",
    ...changes,
  };
}

/** Return the heartbeat of a running job in the session `s-1`, with the fields in `changes` replaced. */
export function sampleHeartbeat(ts: number, changes: Partial<Heartbeat> = {}): Heartbeat {
  return {
    status: "running",
    ts,
    ingestEnabled: true,
    ingestEnabledSource: null,
    pauseReason: null,
    pauseBy: null,
    pauseUntil: null,
    dryRun: false,
    job: "acme/us-equities",
    epoch: 1,
    sessionID: "s-1",
    startedAt: ts - 60_000,
    effectiveIntervalMs: 1000,
    feed: "synthetic",
    market: "open",
    marketChangesAt: null,
    symbols: { desired: 2, confirmed: 2, pending: 0, paused: 0, rejected: 0 },
    freshness: { live: 2, quiet: 0, stale: 0, closed: 0, halted: 0, paused: 0 },
    stale: [],
    halted: [],
    unheard: [],
    gaps: [],
    failure: null,
    clockSkewMs: null,
    lastSymbol: "SPY",
    lastMessageAt: ts,
    lastQuoteTs: ts,
    lastWriteAt: ts,
    ...changes,
  };
}
