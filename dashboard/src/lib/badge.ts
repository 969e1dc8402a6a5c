import type { FeedState } from "./feedState";
import { type BadgeState, type Looks, looksOf } from "./looks";
import type { Heartbeat, Quote, Reason, Verdict } from "./types";
import { isLive, isStarting } from "./verdict";

/** The state of a feed in words. It is equal to an earlier badge until something changes: it contains no age. */
export interface Badge extends Looks {
  state: BadgeState;
  message: string;
  /** What to do; empty if there is nothing to do. */
  remedy: string;
  /** When the state ends by itself, by this computer's clock in milliseconds; null if it does not, or that is unknown. */
  until: number | null;
  /** What happens then: `resumes` or `opens`. Empty if `until` is null. */
  untilVerb: string;
}

// A feed gets its verdict from a sound quote, so the reasons that are about one quote are not listed.
const STATE_OF_REASON: Partial<Record<Reason, BadgeState>> = {
  live: "live",
  stale: "stale",
  paused: "paused",
  closed: "closed",
  degraded: "degraded",
  blocked: "blocked",
  stopped: "stopped",
  dry_run: "dry_run",
  clock: "clock",
  not_signed_in: "offline",
  never_heard_of: "offline",
};

/** What a badge depends on besides the time. */
export type BadgeFacts = Pick<FeedState, "signedIn" | "heartbeat" | "hasAnswered" | "error" | "skewSeconds">;

/** Return the badge of a feed at `now`, in milliseconds by this computer's clock. */
export function badgeOf(feed: BadgeFacts, now: number, heartbeatStaleAfterSeconds: number): Badge {
  const unread = unreadBadge(feed);
  if (unread !== null) {
    return unread;
  }
  return fromVerdict(feedVerdict(feed.heartbeat, feed, now, heartbeatStaleAfterSeconds), feed);
}

/** Return whether two badges show the same. */
export function areBadgesEqual(one: Badge, other: Badge): boolean {
  const keys = ["state", "message", "remedy", "until"] as const;
  return keys.every((key) => one[key] === other[key]);
}

/** Return the badge of a feed that cannot be read at the moment, or null. */
function unreadBadge(feed: BadgeFacts): Badge | null {
  if (feed.signedIn === false) {
    return badge("offline", "You are not signed in.", "Sign in as a member of the tenant.");
  }
  if (feed.error !== null) {
    return badge("offline", feed.error.message, feed.error.remedy);
  }
  if (feed.hasAnswered) {
    return null;
  }
  const message = feed.heartbeat === null ? "Waiting for the first heartbeat." : "Reading resumes.";
  return badge("connecting", message, "Wait a few seconds.");
}

/** Return the verdict on a feed: the one on a sound quote of its present session. */
function feedVerdict(heartbeat: Heartbeat | null, feed: BadgeFacts, now: number, staleAfterSeconds: number): Verdict {
  const quote: Quote = {
    symbol: "",
    bid: 1,
    ask: 1,
    price: 1,
    bidSize: null,
    askSize: null,
    ts: heartbeat?.ts ?? null,
    writtenAt: null,
    status: "live",
    sessionID: heartbeat?.sessionID ?? null,
    epoch: null,
    seq: null,
    source: null,
  };
  return isLive(quote, heartbeat, now, { skewSeconds: feed.skewSeconds, staleAfterSeconds });
}

function fromVerdict(verdict: Verdict, { heartbeat, skewSeconds }: BadgeFacts): Badge {
  if (verdict.live) {
    return badge("live", liveMessage(heartbeat), "");
  }
  const starts = verdict.reason === "degraded" && heartbeat !== null && isStarting(heartbeat);
  const state = starts ? "starting" : (STATE_OF_REASON[verdict.reason] ?? "degraded");
  const found = badge(state, verdict.message, verdict.remedy);
  const end = state === "paused" ? heartbeat?.pauseUntil : state === "closed" ? heartbeat?.marketChangesAt : null;
  if (end === null || end === undefined) {
    return found;
  }
  return { ...found, until: end + skewSeconds * 1000, untilVerb: state === "paused" ? "resumes" : "opens" };
}

function liveMessage(heartbeat: Heartbeat | null): string {
  const counts = heartbeat?.symbols ?? null;
  if (counts === null || counts.confirmed >= counts.desired) {
    return "Quotes are live.";
  }
  return `Quotes are live for ${counts.confirmed} of ${counts.desired} symbols.`;
}

function badge(state: BadgeState, message: string, remedy: string): Badge {
  return { ...looksOf(state), state, message, remedy, until: null, untilVerb: "" };
}
