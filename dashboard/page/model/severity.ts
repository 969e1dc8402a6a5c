import type { BadgeState, RowState } from "../../src/lib/looks";

// From the best to the worst. A feed or a symbol that needs a person ranks above one that waits as intended.
const ORDER: readonly (BadgeState | RowState)[] = [
  "connecting",
  "live",
  "closed",
  "dry_run",
  "paused",
  "unheard",
  "no_price",
  "not_usable",
  "halted",
  "other_session",
  "starting",
  "degraded",
  "clock",
  "stopped",
  "never_heard_of",
  "stale",
  "not_signed_in",
  "offline",
  "blocked",
];

/** Return how bad a state of a feed or of a symbol is: a larger number is worse. */
export function severity(state: BadgeState | RowState): number {
  return ORDER.indexOf(state);
}
