export { areBadgesEqual, type Badge, type BadgeFacts, type BadgeState, badgeOf, type Tone } from "./lib/badge";
export { browserClock, type Clock } from "./lib/clock";
export { documentIDOf } from "./lib/documentIDs";
export { firestoreSource } from "./lib/firestoreSource";
export { formatDuration, formatInstant, formatPrice } from "./lib/format";
export {
  FeedFacts,
  LiveQuotesWidget,
  type LiveQuotesWidgetProps,
  QuoteTable,
  StatusBadge,
} from "./lib/LiveQuotesWidget";
export { parseHeartbeat, parseQuote } from "./lib/parse";
export { SKEW_TOLERANCE_SECONDS, SkewEstimate, skewWarning } from "./lib/skew";
export { type FeedState, LiveQuotesStore, type StoreOptions } from "./lib/store";
export type * from "./lib/types";
export { MAX_IDS_PER_LISTENER } from "./lib/types";
export {
  type LiveQuote,
  type LiveQuotes,
  type LiveQuotesOptions,
  useLiveQuotes,
  useQuote,
  useTimed,
} from "./lib/useLiveQuotes";
export { isLive, type Reader } from "./lib/verdict";
