import type { Failure, FreshnessCounts, Gap, Heartbeat, Quote, SymbolCounts } from "./types";

type Fields = Record<string, unknown>;

// RFC 3339 with a zone. Without one, a time could be hours off.
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Return the quote in a document's fields, or null if `document` is not an object. Never throws.
 *
 * Fields of older writers are read where the present ones are absent or null. `symbol` is used if the document names
 * none. What cannot be understood is null; a status that is not a text is "".
 */
export function parseQuote(document: unknown, symbol = ""): Quote | null {
  if (!isFields(document)) {
    return null;
  }
  const basis = document.price_basis;
  const quote: Quote = {
    symbol: text(document.symbol) || symbol,
    bid: number(document.bid ?? document.bid_price),
    ask: number(document.ask ?? document.ask_price),
    price: number(document.price ?? document.last_trade_price),
    bidSize: number(document.bid_size),
    askSize: number(document.ask_size),
    ts: parseTime(document.ts ?? document.last_update_ts),
    writtenAt: parseTime(document.written_at),
    status: isAbsent(document.status) ? "live" : (text(document.status) ?? ""),
    sessionID: text(document.session_id),
    epoch: integer(document.epoch),
    seq: integer(document.seq),
    source: text(document.source),
  };
  return basis === null || basis === "trade" || basis === "mid" ? { ...quote, priceBasis: basis } : quote;
}

/**
 * Return the heartbeat in a document's fields, or null if `document` is not an object. Never throws.
 *
 * An `ingest_enabled` that is neither true nor absent means paused, and a `dry_run` that is neither false nor absent
 * means a dry run: what is not understood must not look live.
 */
export function parseHeartbeat(document: unknown): Heartbeat | null {
  if (!isFields(document)) {
    return null;
  }
  return {
    status: text(document.status) ?? "",
    ts: parseTime(document.ts ?? document.last_heartbeat_at ?? document.updated_at),
    ingestEnabled: isAbsent(document.ingest_enabled) || document.ingest_enabled === true,
    ingestEnabledSource: text(document.ingest_enabled_source),
    pauseReason: text(document.pause_reason),
    pauseBy: text(document.pause_by),
    pauseUntil: parseTime(document.pause_until),
    dryRun: !(isAbsent(document.dry_run) || document.dry_run === false),
    job: text(document.job),
    epoch: integer(document.epoch),
    sessionID: text(document.session_id),
    startedAt: parseTime(document.started_at),
    effectiveIntervalMs: number(document.effective_interval_ms),
    feed: text(document.feed),
    market: document.market === "open" || document.market === "closed" ? document.market : "unknown",
    marketChangesAt: parseTime(document.market_changes_at),
    symbols: symbolCounts(document.symbols),
    freshness: freshnessCounts(document.freshness),
    stale: names(document.stale),
    halted: names(document.halted),
    unheard: names(document.unheard),
    gaps: items(document.gaps).flatMap(gap),
    failure: failure(document.failure),
    clockSkewMs: number(document.clock_skew_ms),
    lastSymbol: text(document.last_symbol),
    lastMessageAt: parseTime(document.last_message_at),
    lastQuoteTs: parseTime(document.last_quote_ts),
    lastWriteAt: parseTime(document.last_write_at),
  };
}

/** Return milliseconds since the epoch from a Firestore Timestamp, a Date or an RFC 3339 text; otherwise null. */
export function parseTime(value: unknown): number | null {
  if (typeof value === "string") {
    return parseTimeText(value);
  }
  if (value instanceof Date) {
    return number(value.getTime());
  }
  if (!isFields(value)) {
    return null;
  }
  const [seconds, nanoseconds] = [number(value.seconds), number(value.nanoseconds)];
  return seconds === null || nanoseconds === null ? null : seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

function parseTimeText(value: string): number | null {
  const [, year, month, day] = RFC3339.exec(value) ?? [];
  // Date.parse reads February 30 as March 2.
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? number(Date.parse(value)) : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function integer(value: unknown): number | null {
  const found = number(value);
  return Number.isInteger(found) ? found : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function names(value: unknown): string[] {
  return items(value).filter((each) => typeof each === "string");
}

function symbolCounts(value: unknown): SymbolCounts | null {
  if (!isFields(value)) {
    return null;
  }
  const count = (name: keyof SymbolCounts) => integer(value[name]) ?? 0;
  return {
    desired: count("desired"),
    confirmed: count("confirmed"),
    pending: count("pending"),
    paused: count("paused"),
    rejected: count("rejected"),
  };
}

function freshnessCounts(value: unknown): FreshnessCounts | null {
  if (!isFields(value)) {
    return null;
  }
  const count = (name: keyof FreshnessCounts) => integer(value[name]) ?? 0;
  return {
    live: count("live"),
    quiet: count("quiet"),
    stale: count("stale"),
    closed: count("closed"),
    halted: count("halted"),
    paused: count("paused"),
    ...(isAbsent(value.unheard) ? {} : { unheard: count("unheard") }),
  };
}

function gap(value: unknown): Gap[] {
  const from = isFields(value) ? parseTime(value.from) : null;
  if (!isFields(value) || from === null) {
    return [];
  }
  return [{ from, to: parseTime(value.to), cause: text(value.cause) ?? "unknown" }];
}

function failure(value: unknown): Failure | null {
  if (!isFields(value)) {
    return null;
  }
  const { type, message, remedy, at } = value;
  return { type: text(type) ?? "", message: text(message) ?? "", remedy: text(remedy) ?? "", at: parseTime(at) };
}
