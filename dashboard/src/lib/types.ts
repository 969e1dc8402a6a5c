/** Why a quote can or cannot be relied on. The list is closed; Python's `is_live` uses the same one. */
export type Reason =
  | "live"
  | "stale"
  | "paused"
  | "closed"
  | "halted"
  | "degraded"
  | "blocked"
  | "stopped"
  | "dry_run"
  | "unheard"
  | "no_price"
  | "other_session"
  | "clock"
  | "not_signed_in"
  | "never_heard_of";

/** A state in a document. A later writer may use a state that this list does not have. */
export type QuoteStatus = "live" | "stale" | "halted" | "paused" | (string & {});
export type HeartbeatStatus =
  | "starting"
  | "running"
  | "paused"
  | "degraded"
  | "blocked"
  | "finished"
  | "stopped"
  | (string & {});

/** The newest quote of one symbol. Times are in milliseconds since the epoch, by the writer's clock. */
export interface Quote {
  symbol: string;
  bid: number | null;
  ask: number | null;
  price: number | null;
  /** What `price` is; undefined where the writer does not say, null where there is no price. */
  priceBasis?: "trade" | "mid" | null;
  bidSize: number | null;
  askSize: number | null;
  /** The time of the event at the exchange. */
  ts: number | null;
  writtenAt: number | null;
  status: QuoteStatus;
  sessionID: string | null;
  epoch: number | null;
  seq: number | null;
  source: string | null;
}

export interface SymbolCounts {
  desired: number;
  confirmed: number;
  pending: number;
  paused: number;
  rejected: number;
}

export interface FreshnessCounts {
  live: number;
  quiet: number;
  stale: number;
  closed: number;
  halted: number;
  paused: number;
  unheard?: number;
}

/** A time without data. `to` is null while it lasts. */
export interface Gap {
  from: number;
  to: number | null;
  cause: string;
}

export interface Failure {
  type: string;
  message: string;
  remedy: string;
  at: number | null;
}

/** The state of one job. Times are in milliseconds since the epoch, by the writer's clock. */
export interface Heartbeat {
  status: HeartbeatStatus;
  ts: number | null;
  ingestEnabled: boolean;
  ingestEnabledSource: string | null;
  pauseReason: string | null;
  /** The user who requested the pause, if it is known. */
  pauseBy: string | null;
  pauseUntil: number | null;
  dryRun: boolean;
  /** namespace/name of the IngestJob. */
  job: string | null;
  epoch: number | null;
  sessionID: string | null;
  startedAt: number | null;
  effectiveIntervalMs: number | null;
  /** For example `alpaca:iex`. */
  feed: string | null;
  market: "open" | "closed" | "unknown";
  marketChangesAt: number | null;
  /** null where the writer does not say. */
  symbols: SymbolCounts | null;
  freshness: FreshnessCounts | null;
  /** At most 20 symbols each. */
  stale: string[];
  halted: string[];
  unheard: string[];
  /** The last 10. */
  gaps: Gap[];
  failure: Failure | null;
  clockSkewMs: number | null;
  lastSymbol: string | null;
  lastMessageAt: number | null;
  lastQuoteTs: number | null;
  lastWriteAt: number | null;
}

/** Whether a quote can be relied on, why, and what to do. */
export interface Verdict {
  live: boolean;
  /** True if the quote is live and its price is sound: only then trade on it. */
  usable: boolean;
  reason: Reason;
  message: string;
  remedy: string;
}

export type SourceErrorCode = "permission-denied" | "unauthenticated" | "unavailable" | "offline" | "failed";

/** A listener that Firestore refused or that failed, in sentences. */
export interface SourceError {
  kind: "error";
  code: SourceErrorCode;
  message: string;
  remedy: string;
  /** True if the subscription is over. Otherwise it continues by itself, and a data event reports that it works. */
  ended: boolean;
}

interface DataEvent {
  kind: "data";
  /** The number of documents that this event reads, as Firestore bills it. */
  documentsRead: number;
  /** True if this computer's cache answered, so that newer data can exist. */
  fromCache: boolean;
}

export interface HeartbeatData extends DataEvent {
  /** null if the document does not exist. */
  heartbeat: Heartbeat | null;
}

/** A quote and the ID of its document. */
export interface QuoteDocument {
  id: string;
  quote: Quote;
}

/** The quotes that changed, and the IDs of the documents that were removed. Both can be empty. */
export interface QuotesData extends DataEvent {
  changed: readonly QuoteDocument[];
  removed: readonly string[];
}

export interface Identity {
  signedIn: boolean;
  userID: string | null;
}

export type HeartbeatEvent = HeartbeatData | SourceError;
export type QuotesEvent = QuotesData | SourceError;
export type Unsubscribe = () => void;

/** The most document IDs that one listener can name: a limit of Firestore's `in` filter. */
export const MAX_IDS_PER_LISTENER = 30;

/**
 * Where heartbeats and quotes come from: Firestore, or a fake in tests and benches.
 *
 * A listener gets no event before `subscribe…` returns, and none after its subscription ends.
 */
export interface QuoteSource {
  subscribeHeartbeat(tenant: string, document: string, listener: (event: HeartbeatEvent) => void): Unsubscribe;
  /** Throws a RangeError if `documentIDs` is empty or has more than 30 names. */
  subscribeQuotes(
    tenant: string,
    collection: string,
    documentIDs: readonly string[],
    listener: (event: QuotesEvent) => void,
  ): Unsubscribe;
  subscribeIdentity(listener: (identity: Identity) => void): Unsubscribe;
}

/** Reads a whole collection once. Each document costs one read. */
export interface QuoteLister {
  /** Rejects with a SourceError. */
  listQuotes(tenant: string, collection: string): Promise<QuoteDocument[]>;
}
