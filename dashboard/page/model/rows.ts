import type { Heartbeat, Quote, Reason, Verdict } from "../../src/lib/types";
import { isLive } from "../../src/lib/verdict";
import { severity } from "./severity";

export type Order = "worst" | "symbol";

/** One row of the table: a symbol's document, and whether it can be relied on. */
export interface Row {
  id: string;
  symbol: string;
  verdict: Verdict;
}

/** What the verdicts of all rows depend on, besides the quotes. `now` and `skew` are in milliseconds. */
export interface RowContext {
  heartbeat: Heartbeat | null;
  now: number;
  skew: number;
  staleAfter: number;
  /** The sessions of the tenant's other feeds: their quotes are in the same collection, but not of this feed. */
  otherSessions: ReadonlySet<string>;
}

/** Return the verdict on one quote. */
export function verdictOf(quote: Quote, context: RowContext): Verdict {
  const { heartbeat, now, skew, staleAfter } = context;
  return isLive(quote, heartbeat, now, { skewSeconds: skew / 1000, staleAfterSeconds: staleAfter });
}

/** Return the feed's rows whose symbol contains `search`, in this order. */
export function rowsOf(quotes: ReadonlyMap<string, Quote>, context: RowContext, order: Order, search: string): Row[] {
  const wanted = search.trim().toUpperCase();
  const rows: Row[] = [];
  for (const [id, quote] of quotes) {
    if (isOfFeed(quote, context) && (quote.symbol.includes(wanted) || id.includes(wanted))) {
      rows.push({ id, symbol: quote.symbol, verdict: verdictOf(quote, context) });
    }
  }
  const bySymbol = (a: Row, b: Row) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0);
  const bySeverity = (a: Row, b: Row) => severity(b.verdict.reason) - severity(a.verdict.reason) || bySymbol(a, b);
  return rows.sort(order === "worst" ? bySeverity : bySymbol);
}

/** Return how many of the quotes belong to the feed. */
export function countQuotes(quotes: ReadonlyMap<string, Quote>, context: RowContext): number {
  let count = 0;
  for (const quote of quotes.values()) {
    count += isOfFeed(quote, context) ? 1 : 0;
  }
  return count;
}

function isOfFeed(quote: Quote, { otherSessions }: RowContext): boolean {
  return quote.sessionID === null || !otherSessions.has(quote.sessionID);
}

/** Count the rows of each reason, from the worst to the best. */
export function countReasons(rows: Row[]): [Reason, number][] {
  const counts = new Map<Reason, number>();
  for (const { verdict } of rows) {
    counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => severity(b) - severity(a));
}
