import type { Heartbeat, SymbolCounts } from "../../src/lib/types";

const NAMES_SHOWN = 5;

/** Return how many symbols of the job are confirmed, paused and rejected; null if that is unknown. */
export function symbolsText(counts: SymbolCounts | null): string | null {
  if (counts === null) {
    return null;
  }
  const parts = [`${counts.confirmed} of ${counts.desired} confirmed`];
  for (const state of ["paused", "rejected"] as const) {
    if (counts[state] > 0) {
      parts.push(`${counts[state]} ${state}`);
    }
  }
  return parts.join(", ");
}

/** Return the first names and how many more there are; null if there are none. `count` is the number of all. */
export function namesText(names: readonly string[], count = names.length): string | null {
  if (names.length === 0) {
    return null;
  }
  const shown = names.slice(0, NAMES_SHOWN);
  const more = Math.max(count, names.length) - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/**
 * Return the heartbeat's counts of symbols in the words of the table, where a quiet symbol is live.
 *
 * They are as old as the heartbeat, so they can differ from the table for a moment, and say so.
 */
export function freshnessText(heartbeat: Heartbeat | null): string {
  const counts = heartbeat?.freshness;
  if (!counts) {
    return "";
  }
  const { live, quiet, unheard = 0, ...others } = counts;
  const parts = Object.entries({ ...others, unheard }).flatMap(([state, count]) =>
    count > 0 ? [`${count} ${state}`] : [],
  );
  if (live + quiet > 0) {
    parts.unshift(`${live + quiet} live${quiet > 0 ? ` (${quiet} quiet)` : ""}`);
  }
  return parts.length > 0 ? `At the last heartbeat: ${parts.join(" · ")}` : "";
}
