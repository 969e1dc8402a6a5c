import type { BadgeFacts } from "./badge";
import type { Quote, Verdict } from "./types";
import { isLive } from "./verdict";

/**
 * Return the verdict on a quote of a feed at `now`, in milliseconds by this computer's clock.
 *
 * It is that of `isLive`, with what the reader of the feed knows: whether it may read, whether changes arrive, and the
 * skew of this computer's clock.
 */
export function verdictOf(quote: Quote | null, feed: BadgeFacts, now: number, staleAfterSeconds: number): Verdict {
  const { heartbeat, skewSeconds, signedIn, error, hasAnswered } = feed;
  return isLive(quote, heartbeat, now, {
    skewSeconds,
    staleAfterSeconds,
    signedIn: signedIn !== false && error?.code !== "permission-denied" && error?.code !== "unauthenticated",
    connected: hasAnswered && error === null,
  });
}
