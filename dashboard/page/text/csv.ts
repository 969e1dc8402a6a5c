import { shownPrice } from "../../src/lib/format";
import type { Quote } from "../../src/lib/types";
import type { Row } from "../model/rows";

const HEADER = ["symbol", "bid", "ask", "price", "spread", "event_time", "written_at", "state", "message"];

/** Return the rows as CSV (RFC 4180), with times in UTC. Unknown values are empty. */
export function csvOf(rows: Row[], quotes: ReadonlyMap<string, Quote | null>): string {
  const lines = rows.map((row) => {
    const quote = quotes.get(row.id);
    const { bid = null, ask = null, ts = null, writtenAt = null } = quote ?? {};
    const price = quote ? shownPrice(quote) : null;
    const spread = bid !== null && ask !== null ? Number((ask - bid).toFixed(8)) : null;
    return [row.symbol, bid, ask, price, spread, time(ts), time(writtenAt), row.state, row.verdict.message];
  });
  return [HEADER, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function cell(value: string | number | null): string {
  if (typeof value === "number" || value === null) {
    return value === null ? "" : String(value);
  }
  // A spreadsheet would run text that begins with one of these characters as a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
