import type { Heartbeat, Quote, Verdict } from "./types";
import { VERDICT_TEXTS } from "./verdictTexts";

/** Clocks that differ by more than this are reported. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** The source of a pod's pause while it has not read its job yet: whether the job is paused is not known. */
const UNREAD_SOURCE = "start";
/** The source of the pause of a pod that does not understand its job. */
const UNREADABLE_SOURCE = "unreadable";

/** What a verdict depends on besides the documents. */
export interface Reader {
  /** This computer's clock minus the writer's; 0, the default, if unknown. */
  skewSeconds?: number;
  /** A heartbeat that is older is stale; 30 by default. */
  staleAfterSeconds?: number;
  /** False if the reader may not read the tenant's documents. */
  signedIn?: boolean;
  /** False if the reader knows that changes of the documents do not arrive. */
  connected?: boolean;
}

type FindingName = keyof typeof VERDICT_TEXTS.findings;
type DetailName = keyof typeof VERDICT_TEXTS.details;

interface HeartbeatInput {
  heartbeat: Heartbeat;
  /** In milliseconds since the epoch, by the writer's clock. */
  writerNow: number;
  staleAfterSeconds: number;
  skewSeconds: number;
}

interface QuoteInput extends HeartbeatInput {
  quote: Quote;
}

/**
 * Return whether a quote is live and usable at `now`: milliseconds since the epoch by this computer's clock.
 *
 * `clients/cases.json` is the standard: Python's `is_live` passes the same cases. The first check that finds something
 * decides, so the order of the checks is part of the standard. The sentences contain no age, so a verdict is equal to
 * an earlier one until something changes.
 */
export function isLive(quote: Quote | null, heartbeat: Heartbeat | null, now: number, reader: Reader = {}): Verdict {
  if (reader.signedIn === false) {
    return verdict("not_signed_in");
  }
  if (reader.connected === false) {
    return verdict("disconnected");
  }
  if (heartbeat === null) {
    return verdict("heartbeat_missing");
  }
  const { skewSeconds = 0, staleAfterSeconds = 30 } = reader;
  const input = { heartbeat, writerNow: now - skewSeconds * 1000, staleAfterSeconds, skewSeconds };
  const ofJob = heartbeatNotFresh(input) ?? jobNotRunning(heartbeat);
  if (ofJob !== null) {
    return ofJob;
  }
  if (quote === null) {
    return verdict("quote_missing");
  }
  return quoteNotLive(quote, heartbeat) ?? quoteUnsound({ ...input, quote }) ?? verdict("live");
}

function heartbeatNotFresh({ heartbeat, writerNow, staleAfterSeconds }: HeartbeatInput): Verdict | null {
  if (heartbeat.ts === null) {
    return verdict("heartbeat_without_time");
  }
  const age = writerNow - heartbeat.ts;
  if (age > staleAfterSeconds * 1000) {
    return verdict("heartbeat_stale", { heartbeat_at: instant(heartbeat.ts), stale_after: String(staleAfterSeconds) });
  }
  if (age < -CLOCK_TOLERANCE_SECONDS * 1000) {
    return verdict("clock_behind", { heartbeat_at: instant(heartbeat.ts) });
  }
  return Math.abs(heartbeat.clockSkewMs ?? 0) > CLOCK_TOLERANCE_SECONDS * 1000 ? verdict("clock_of_writer") : null;
}

function jobNotRunning(heartbeat: Heartbeat): Verdict | null {
  const status: string = heartbeat.status;
  if (status === "stopped" || status === "finished") {
    return verdict(status);
  }
  if (status === "blocked") {
    return withFailure(status, heartbeat);
  }
  if (status === "paused" || !heartbeat.ingestEnabled) {
    return pauseVerdict(heartbeat);
  }
  if (status === "degraded" || status === "starting") {
    return withFailure(status, heartbeat);
  }
  if (status !== "running") {
    return verdict("status_unknown");
  }
  return heartbeat.dryRun ? verdict("dry_run") : null;
}

/** Return the verdict on a job that its pod pauses. A pod that has not read its job yet is starting, not paused. */
function pauseVerdict(heartbeat: Heartbeat): Verdict {
  switch (heartbeat.ingestEnabledSource) {
    case UNREAD_SOURCE:
      return withFailure("starting", heartbeat);
    case UNREADABLE_SOURCE:
      return verdict("unreadable", { detail: detail({ reason: heartbeat.pauseReason }) });
    default:
      return verdict("paused", { detail: pauseDetail(heartbeat) });
  }
}

/** Return whether the pod of a job has begun, and does not know or do yet what its job says. */
export function isStarting({ status, ingestEnabledSource }: Heartbeat): boolean {
  return status === "starting" || (status === "paused" && ingestEnabledSource === UNREAD_SOURCE);
}

function quoteNotLive(quote: Quote, heartbeat: Heartbeat): Verdict | null {
  const symbol = quote.symbol || "?";
  if (quote.sessionID !== heartbeat.sessionID) {
    return verdict("other_session", { symbol });
  }
  if (quote.status === "paused") {
    return verdict("quote_paused", { symbol });
  }
  if (quote.status === "halted" || heartbeat.halted.includes(quote.symbol)) {
    return verdict("quote_halted", { symbol });
  }
  if (heartbeat.market === "closed") {
    return verdict("closed", { detail: detail({ until: knownInstant(heartbeat.marketChangesAt) }) });
  }
  return quoteSilent(quote, heartbeat, symbol);
}

function quoteSilent(quote: Quote, heartbeat: Heartbeat, symbol: string): Verdict | null {
  if (quote.status === "stale" || heartbeat.stale.includes(quote.symbol)) {
    return verdict("quote_stale", { symbol });
  }
  if (quote.status !== "live") {
    return verdict("quote_status_unknown", { symbol });
  }
  if (heartbeat.unheard.includes(quote.symbol)) {
    return verdict("unheard", { symbol });
  }
  const hasPrice = isPrice(quote.price) || isPrice(quote.bid) || isPrice(quote.ask);
  return hasPrice && quote.priceBasis !== null ? null : verdict("no_price", { symbol });
}

function quoteUnsound({ quote, writerNow, skewSeconds }: QuoteInput): Verdict | null {
  const symbol = quote.symbol || "?";
  if (Math.abs(skewSeconds) > CLOCK_TOLERANCE_SECONDS) {
    return verdict("live_clock");
  }
  if (!isPrice(quote.price)) {
    return verdict("live_without_price", { symbol });
  }
  if (quote.priceBasis !== "trade" && isPrice(quote.bid) && isPrice(quote.ask) && quote.bid > quote.ask) {
    return verdict("live_crossed", { symbol });
  }
  if (quote.ts === null) {
    return verdict("live_without_time", { symbol });
  }
  return quote.ts - writerNow > CLOCK_TOLERANCE_SECONDS * 1000 ? verdict("live_future", { symbol }) : null;
}

function verdict(name: FindingName, values: Record<string, string> = {}): Verdict {
  const { reason, message, remedy } = VERDICT_TEXTS.findings[name];
  return { live: reason === "live", usable: name === "live", reason, message: fill(message, values), remedy };
}

/** Return the verdict with the job's own words about its failure, if there are any. */
function withFailure(name: FindingName, { failure }: Heartbeat): Verdict {
  const found = verdict(name, { detail: detail({ cause: failure?.message.replace(/\.+$/, "") }) });
  return { ...found, remedy: failure?.remedy || found.remedy };
}

function pauseDetail({ ingestEnabledSource, pauseBy, pauseReason, pauseUntil }: Heartbeat): string {
  return detail({
    source: ingestEnabledSource,
    author: pauseBy,
    reason: pauseReason,
    until: knownInstant(pauseUntil),
  });
}

/** Return the parts that are known as ` (by ...; reason: ...)`, or an empty text. */
function detail(parts: Partial<Record<DetailName, string | null>>): string {
  const known = (Object.keys(parts) as DetailName[]).flatMap((name) => {
    const text = parts[name];
    return text ? [fill(VERDICT_TEXTS.details[name], { text })] : [];
  });
  return known.length > 0 ? ` (${known.join("; ")})` : "";
}

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

function isPrice(value: number | null): value is number {
  return value !== null && value > 0;
}

function instant(milliseconds: number): string {
  const moment = new Date(milliseconds);
  return Number.isNaN(moment.getTime()) ? "?" : `${moment.toISOString().slice(0, 19)}Z`;
}

function knownInstant(milliseconds: number | null): string | null {
  return milliseconds === null ? null : instant(milliseconds);
}
