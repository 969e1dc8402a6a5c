import type { Reason, Verdict } from "./types";

/** The states of a feed. */
export type BadgeState =
  | "live"
  | "stale"
  | "offline"
  | "paused"
  | "closed"
  | "degraded"
  | "blocked"
  | "dry_run"
  | "starting"
  | "stopped"
  | "clock"
  | "connecting";

/** The states of a symbol: the reason of its verdict, or `not_usable` for a quote that is live and must not be used. */
export type RowState = Reason | "not_usable";

/** How urgent a state is; it selects the color. Each state also has a glyph and a word. */
export type Tone = "good" | "idle" | "warning" | "bad";

/** What a state looks like. */
export interface Looks {
  /** In capitals, as a badge shows it. */
  word: string;
  glyph: string;
  tone: Tone;
}

const LOOKS: Record<BadgeState | RowState, readonly [word: string, glyph: string, tone: Tone]> = {
  live: ["LIVE", "●", "good"],
  not_usable: ["NOT USABLE", "▲", "warning"],
  stale: ["STALE", "◔", "bad"],
  offline: ["OFFLINE", "○", "bad"],
  not_signed_in: ["SIGNED OUT", "○", "bad"],
  never_heard_of: ["UNKNOWN", "○", "bad"],
  paused: ["PAUSED", "‖", "idle"],
  closed: ["CLOSED", "◐", "idle"],
  halted: ["HALTED", "▲", "warning"],
  degraded: ["DEGRADED", "▲", "warning"],
  blocked: ["BLOCKED", "✕", "bad"],
  dry_run: ["DRY RUN", "◇", "idle"],
  starting: ["STARTING", "◌", "idle"],
  stopped: ["STOPPED", "■", "bad"],
  clock: ["CLOCK", "▲", "warning"],
  unheard: ["UNHEARD", "▲", "warning"],
  no_price: ["NO PRICE", "▲", "warning"],
  other_session: ["OLD SESSION", "▲", "warning"],
  connecting: ["CONNECTING", "…", "idle"],
};

/** Return the word, glyph and tone of a state: the same ones wherever a feed or a symbol is shown. */
export function looksOf(state: BadgeState | RowState): Looks {
  const [word, glyph, tone] = LOOKS[state];
  return { word, glyph, tone };
}

/** Return the state that a row shows for a verdict. */
export function rowStateOf({ live, usable, reason }: Verdict): RowState {
  return live && !usable ? "not_usable" : reason;
}
