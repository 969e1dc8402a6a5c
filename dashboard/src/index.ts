export { areBadgesEqual, type Badge, type BadgeFacts, badgeOf } from "./lib/badge";
export { browserClock, type Clock } from "./lib/clock";
export { documentIDOf } from "./lib/documentIDs";
export type { FeedState } from "./lib/feedState";
export { verdictOf } from "./lib/feedVerdict";
export { firestoreSource } from "./lib/firestoreSource";
export { decimalsOf, formatCountdown, formatDuration, formatInstant, formatPrice, shownPrice } from "./lib/format";
export {
  FeedFacts,
  LiveQuotesWidget,
  type LiveQuotesWidgetProps,
  QuoteTable,
  StatusBadge,
} from "./lib/LiveQuotesWidget";
export { type BadgeState, type Looks, looksOf, type RowState, rowStateOf, type Tone } from "./lib/looks";
export { parseHeartbeat, parseQuote } from "./lib/parse";
export { SKEW_TOLERANCE_SECONDS, SkewEstimate, skewWarning, writerClockWarning } from "./lib/skew";
export { LiveQuotesStore, type StoreOptions } from "./lib/store";
export type * from "./lib/types";
export { MAX_IDS_PER_LISTENER } from "./lib/types";
export {
  type LiveQuote,
  type LiveQuotes,
  type LiveQuotesOfRow,
  type LiveQuotesOptions,
  useLiveQuotes,
  useQuote,
  useTimed,
} from "./lib/useLiveQuotes";
export { isLive, type Reader } from "./lib/verdict";
