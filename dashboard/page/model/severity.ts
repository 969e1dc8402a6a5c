import type { Reason } from "../../src/lib/types";

// From the best to the worst. A feed or a symbol that needs a person ranks above one that waits as intended.
const ORDER: readonly Reason[] = [
  "live",
  "closed",
  "dry_run",
  "paused",
  "unheard",
  "no_price",
  "halted",
  "other_session",
  "degraded",
  "clock",
  "stopped",
  "never_heard_of",
  "stale",
  "not_signed_in",
  "blocked",
];

/** Return how bad a reason is: 0 is live, and a larger number is worse. */
export function severity(reason: Reason): number {
  return ORDER.indexOf(reason);
}
