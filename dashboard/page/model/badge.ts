import type { Heartbeat, Quote, Reason, SourceError, Verdict } from "../../src/lib/types";
import { isLive } from "../../src/lib/verdict";

/** How urgent a state is, which selects its color. Each state also has a glyph and a word. */
export type Tone = "good" | "idle" | "warn" | "bad";

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

type Looks = readonly [label: string, glyph: string, tone: Tone];

const LOOKS: Record<BadgeReason, Looks> = {
  live: ["LIVE", "●", "good"],
  paused: ["PAUSED", "‖", "idle"],
  closed: ["CLOSED", "◐", "idle"],
  dry_run: ["DRY RUN", "◇", "idle"],
  degraded: ["DEGRADED", "▲", "warn"],
  clock: ["CLOCK", "▲", "warn"],
  halted: ["HALTED", "▲", "warn"],
  unheard: ["UNHEARD", "▲", "warn"],
  no_price: ["NO PRICE", "▲", "warn"],
  other_session: ["OLD SESSION", "▲", "warn"],
  stale: ["STALE", "▲", "bad"],
  blocked: ["BLOCKED", "✕", "bad"],
  stopped: ["STOPPED", "■", "bad"],
  not_signed_in: ["OFFLINE", "○", "bad"],
  never_heard_of: ["OFFLINE", "○", "bad"],
  denied: ["OFFLINE", "○", "bad"],
  offline: ["OFFLINE", "○", "bad"],
  loading: ["LOADING", "…", "idle"],
};

/** Return the label, glyph and tone of a state. */
export function looksOf(reason: BadgeReason): { label: string; glyph: string; tone: Tone } {
  const [label, glyph, tone] = LOOKS[reason];
  return { label, glyph, tone };
}

/** Return the state of a feed at `now`, by this computer's clock. A heartbeat older than `staleAfter` s is stale. */
export function badgeOf(facts: FeedFacts, now: number, staleAfter: number): Badge {
  const blocked = accessBadge(facts);
  if (blocked) {
    return blocked;
  }
  const verdict = feedVerdict(facts.heartbeat, now, facts.skew, ageLimitOf(facts.heartbeat, staleAfter));
  const { message, remedy } = verdict.live ? { message: liveMessage(facts.heartbeat), remedy: "" } : verdict;
  const found = { ...badge(verdict.reason, message, remedy), ...endOf(verdict.reason, facts.heartbeat) };
  const isStarting = verdict.reason === "degraded" && facts.heartbeat?.status === "starting";
  return isStarting ? { ...found, label: "STARTING", glyph: "◌", tone: "idle" } : found;
}

/** Return the verdict on a feed as a whole: that on a sound quote of its session. */
export function feedVerdict(heartbeat: Heartbeat | null, now: number, skew: number, staleAfter: number): Verdict {
  const quote: Quote = {
    symbol: "",
    bid: 1,
    ask: 1,
    price: 1,
    priceBasis: "mid",
    bidSize: null,
    askSize: null,
    ts: heartbeat?.ts ?? null,
    writtenAt: null,
    status: "live",
    sessionID: heartbeat?.sessionID ?? null,
    epoch: heartbeat?.epoch ?? null,
    seq: null,
    source: null,
  };
  return isLive(quote, heartbeat, now, { skewSeconds: skew / 1000, staleAfterSeconds: staleAfter });
}

/** A stopped job writes no heartbeats, so its last one says more than its age does. */
function ageLimitOf(heartbeat: Heartbeat | null, staleAfter: number): number {
  const hasEnded = heartbeat?.status === "stopped" || heartbeat?.status === "finished";
  return hasEnded ? Number.POSITIVE_INFINITY : staleAfter;
}

function accessBadge(facts: FeedFacts): Badge | null {
  if (!facts.signedIn) {
    return badge("not_signed_in", "You are signed out, so nothing is read.", "Sign in to see this feed.");
  }
  if (facts.error?.code === "permission-denied") {
    return badge("denied", facts.error.message, facts.error.remedy);
  }
  if (!facts.online) {
    return badge(
      "offline",
      "This computer is offline; what is shown is the last state that was received.",
      "Check the network. The page continues by itself.",
    );
  }
  if (facts.error) {
    return badge("offline", facts.error.message, facts.error.remedy);
  }
  return facts.answered ? null : badge("loading", "Waiting for the first answer from Firestore.", "");
}

function badge(reason: BadgeReason, message: string, remedy: string): Badge {
  return { ...looksOf(reason), reason, message, remedy, until: null, untilLabel: "" };
}

function liveMessage(heartbeat: Heartbeat | null): string {
  const counts = heartbeat?.symbols;
  if (!counts || counts.confirmed >= counts.desired) {
    return "Quotes arrive and are written.";
  }
  return `Quotes arrive and are written for ${counts.confirmed} of ${counts.desired} symbols.`;
}

function endOf(reason: Reason, heartbeat: Heartbeat | null): Pick<Badge, "until" | "untilLabel"> {
  if (reason === "paused" && heartbeat?.pauseUntil) {
    return { until: heartbeat.pauseUntil, untilLabel: "resumes in" };
  }
  if (reason === "closed" && heartbeat?.marketChangesAt) {
    return { until: heartbeat.marketChangesAt, untilLabel: "opens in" };
  }
  return { until: null, untilLabel: "" };
}
