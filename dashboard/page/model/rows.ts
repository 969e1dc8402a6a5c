import type { FeedState } from "../../src/lib/feedState";
import { verdictOf } from "../../src/lib/feedVerdict";
import { type RowState, rowStateOf } from "../../src/lib/looks";
import type { Quote, Verdict } from "../../src/lib/types";
import { severity } from "./severity";

export type Order = "worst" | "symbol";

/** One row of the table: a symbol's document, and whether it can be relied on. */
export interface Row {
  id: string;
  symbol: string;
  verdict: Verdict;
  state: RowState;
}

/** What the verdicts of all rows depend on, besides the quotes. `now` is in milliseconds. */
export interface RowContext {
  feed: FeedState;
  now: number;
  staleAfterSeconds: number;
  /** The sessions of the tenant's other feeds: their quotes are in the same collection, but not of this feed. */
  otherSessions: ReadonlySet<string>;
}

type Quotes = ReadonlyMap<string, Quote | null>;

/** Return the feed's rows whose symbol contains `search`, in this order. */
export function rowsOf(quotes: Quotes, context: RowContext, order: Order, search: string): Row[] {
  const { feed, now, staleAfterSeconds } = context;
  const wanted = search.trim().toUpperCase();
  const rows: Row[] = [];
  for (const [id, quote] of quotes) {
    if (isOfFeed(quote, context) && (quote.symbol.includes(wanted) || id.includes(wanted))) {
      const verdict = verdictOf(quote, feed, now, staleAfterSeconds);
      rows.push({ id, symbol: quote.symbol, verdict, state: rowStateOf(verdict) });
    }
  }
  const bySymbol = (a: Row, b: Row) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0);
  const bySeverity = (a: Row, b: Row) => severity(b.state) - severity(a.state) || bySymbol(a, b);
  return rows.sort(order === "worst" ? bySeverity : bySymbol);
}

/** Return how many of the quotes belong to the feed. */
export function countQuotes(quotes: Quotes, context: RowContext): number {
  let count = 0;
  for (const quote of quotes.values()) {
    count += isOfFeed(quote, context) ? 1 : 0;
  }
  return count;
}

function isOfFeed(quote: Quote | null, { otherSessions }: RowContext): quote is Quote {
  return quote !== null && (quote.sessionID === null || !otherSessions.has(quote.sessionID));
}

/** Count the rows in each state, from the worst to the best. */
export function countStates(rows: Row[]): [RowState, number][] {
  const counts = new Map<RowState, number>();
  for (const { state } of rows) {
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => severity(b) - severity(a));
}
