import {
  type BadgeState,
  type Badge as FeedBadge,
  badgeOf as feedBadgeOf,
  looksOfState,
  type Tone,
} from "../../src/lib/badge";
import { errorOf } from "../../src/lib/sourceErrors";
import type { Heartbeat, Reason, SourceError } from "../../src/lib/types";

export type { Tone };

/** What the page knows of one feed. Times are in milliseconds since the epoch, by this computer's clock. */
export interface FeedFacts {
  heartbeat: Heartbeat | null;
  /** True once Firestore has answered, with or without a document. */
  answered: boolean;
  /** What Firestore refused or failed to do; null while the listener works. */
  error: SourceError | null;
  skew: number;
  signedIn: boolean;
  online: boolean;
}

export type BadgeReason = Reason | "loading" | "denied" | "offline";

/** The state of a feed in words. `until` is when it ends by itself, by the writer's clock, or null. */
export interface Badge {
  reason: BadgeReason;
  label: string;
  glyph: string;
  tone: Tone;
  message: string;
  remedy: string;
  until: number | null;
  untilLabel: string;
}

type Looks = Pick<Badge, "label" | "glyph" | "tone">;
type QuoteReason = Exclude<BadgeReason, BadgeState | "loading" | "denied" | "not_signed_in" | "never_heard_of">;

/** The reasons that are about one quote, which no feed has. */
const QUOTE_LOOKS: Record<QuoteReason, Looks> = {
  halted: { label: "HALTED", glyph: "▲", tone: "warning" },
  unheard: { label: "UNHEARD", glyph: "▲", tone: "warning" },
  no_price: { label: "NO PRICE", glyph: "▲", tone: "warning" },
  other_session: { label: "OLD SESSION", glyph: "▲", tone: "warning" },
};

/** Return the label, glyph and tone of a reason: those of the library's badge, if a feed can have it. */
export function looksOf(reason: BadgeReason): Looks {
  if (isQuoteReason(reason)) {
    return QUOTE_LOOKS[reason];
  }
  const { word, glyph, tone } = looksOfState(stateOf(reason));
  return { label: word, glyph, tone };
}

/** Return the state of a feed at `now`, by this computer's clock: the library's badge, with the page's reason. */
export function badgeOf(facts: FeedFacts, now: number, staleAfter: number): Badge {
  const { signedIn, heartbeat, skew } = facts;
  const isDenied = facts.error?.code === "permission-denied";
  const error = facts.online || isDenied ? facts.error : errorOf("offline");
  const feed = { signedIn, heartbeat, hasAnswered: facts.answered, error, skewSeconds: skew / 1000 };
  const found = feedBadgeOf(feed, now, staleAfter);
  const { word: label, glyph, tone, message, remedy, until, untilVerb } = found;
  return {
    reason: reasonOf(found, signedIn, error),
    label,
    glyph,
    tone,
    message,
    remedy,
    until: until === null ? null : until - skew,
    untilLabel: until === null ? "" : `${untilVerb} in`,
  };
}

function reasonOf({ state }: FeedBadge, signedIn: boolean, error: SourceError | null): BadgeReason {
  if (state === "connecting") {
    return "loading";
  }
  if (state === "starting") {
    return "degraded";
  }
  if (state !== "offline") {
    return state;
  }
  if (!signedIn) {
    return "not_signed_in";
  }
  if (error === null) {
    return "never_heard_of";
  }
  return error.code === "permission-denied" ? "denied" : "offline";
}

function stateOf(reason: Exclude<BadgeReason, QuoteReason>): BadgeState {
  if (reason === "loading") {
    return "connecting";
  }
  const isOffline = reason === "denied" || reason === "not_signed_in" || reason === "never_heard_of";
  return isOffline ? "offline" : reason;
}

function isQuoteReason(reason: BadgeReason): reason is QuoteReason {
  return reason in QUOTE_LOOKS;
}
