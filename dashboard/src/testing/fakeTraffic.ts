import { browserClock, type Clock } from "../lib/clock";
import type { Quote } from "../lib/types";
import type { FakeSource } from "./fakeSource";
import { sampleHeartbeat, sampleQuote } from "./samples";

export interface Traffic {
  /** The symbols S0000, S0001 and so on. */
  readonly symbols: readonly string[];
  /** The number of changes so far. */
  readonly changes: number;
  stop(): void;
}

interface TrafficOptions {
  symbolCount?: number;
  changesPerSecond?: number;
  heartbeatSeconds?: number;
  tenant?: string;
  collection?: string;
  document?: string;
  clock?: Clock;
}

const STEP_MILLISECONDS = 20;

/**
 * Write one quote for each symbol and a heartbeat, and then change quotes at a steady rate until `stop`.
 *
 * The defaults are 2,000 symbols, 500 changes a second and a heartbeat every 15 s. Each run makes the same prices.
 */
export function startTraffic(source: FakeSource, options: TrafficOptions = {}): Traffic {
  const { symbolCount = 2000, changesPerSecond = 500, heartbeatSeconds = 15, clock = browserClock } = options;
  const { tenant = "acme", collection = "live_quotes", document = "market_ingest" } = options;
  const random = randomNumbers(1);
  const symbols = Array.from({ length: symbolCount }, (_, index) => `S${String(index).padStart(4, "0")}`);
  let quotes = symbols.map((symbol) => sampleQuote(symbol, clock.now(), priceFields(20 + 480 * random())));
  let changes = 0;
  let owed = 0;
  let steppedAt = clock.now();

  const beat = () => {
    const counts = { desired: symbolCount, confirmed: symbolCount, pending: 0, paused: 0, rejected: 0 };
    const freshness = { live: symbolCount, quiet: 0, stale: 0, closed: 0, halted: 0, paused: 0 };
    source.putHeartbeat(sampleHeartbeat(clock.now(), { symbols: counts, freshness }), tenant, document);
  };
  const step = () => {
    // A timer of a busy page is late: the elapsed time decides how many changes are due.
    owed += ((clock.now() - steppedAt) * changesPerSecond) / 1000;
    steppedAt = clock.now();
    const moved = new Map<number, Quote>();
    for (; owed >= 1 && quotes.length > 0; owed -= 1, changes += 1) {
      const index = Math.floor(random() * quotes.length);
      const quote = moved.get(index) ?? quotes[index];
      if (quote !== undefined) {
        moved.set(index, movedQuote(quote, clock.now(), random()));
      }
    }
    quotes = quotes.map((quote, index) => moved.get(index) ?? quote);
    source.putQuotes([...moved.values()], tenant, collection);
  };

  beat();
  source.putQuotes(quotes, tenant, collection);
  const timers = [clock.every(heartbeatSeconds * 1000, beat), clock.every(STEP_MILLISECONDS, step)];
  return {
    symbols,
    get changes() {
      return changes;
    },
    stop() {
      for (const stopTimer of timers) {
        stopTimer();
      }
    },
  };
}

function movedQuote(quote: Quote, ts: number, random: number): Quote {
  const price = Math.max(1, (quote.price ?? 100) * (1 + (random - 0.5) / 500));
  return { ...quote, ...priceFields(price), ts, writtenAt: ts, seq: (quote.seq ?? 0) + 1 };
}

function priceFields(price: number): Pick<Quote, "bid" | "ask" | "price"> {
  const cents = Math.round(price * 100);
  return { bid: (cents - 1) / 100, ask: (cents + 1) / 100, price: cents / 100 };
}

/** Return a function that returns numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
