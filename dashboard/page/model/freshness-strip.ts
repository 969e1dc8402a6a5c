import type { BadgeState } from "../../src/lib/looks";
import { severity } from "./severity";

/** One column of the strip: the worst state of its 10 s, and the share of symbols with fresh quotes (0 to 1). */
export interface Column {
  state: BadgeState;
  share: number;
}

/** Neighboring columns that look the same, from column `start` (0 is the oldest) to before `end`. */
export interface Run extends Column {
  start: number;
  end: number;
}

export const COLUMN_MILLISECONDS = 10_000;
export const COLUMNS = 360;

/** What the page has seen of a feed in the last 60 minutes, one column for each 10 s. */
export class FreshnessStrip {
  private readonly columns = new Map<number, Column>();

  /** Record the state at `now`; a column keeps its worst state and its smallest share. */
  record(now: number, state: BadgeState, share: number): void {
    const index = Math.floor(now / COLUMN_MILLISECONDS);
    const known = this.columns.get(index);
    const worst = known && severity(known.state) > severity(state) ? known.state : state;
    this.columns.set(index, { state: worst, share: Math.min(share, known?.share ?? 1) });
    if (this.columns.size > COLUMNS * 2) {
      this.forgetBefore(index - COLUMNS);
    }
  }

  /** Return the runs of the 60 minutes that end at `now`. Columns that the page has not seen are in no run. */
  runs(now: number): Run[] {
    const first = Math.floor(now / COLUMN_MILLISECONDS) - COLUMNS + 1;
    const found: Run[] = [];
    for (let start = 0; start < COLUMNS; start += 1) {
      const column = this.columns.get(first + start);
      const last = found.at(-1);
      if (!column) {
        continue;
      }
      if (last && last.end === start && last.state === column.state && last.share === column.share) {
        last.end += 1;
      } else {
        found.push({ ...column, start, end: start + 1 });
      }
    }
    return found;
  }

  private forgetBefore(oldest: number): void {
    for (const index of this.columns.keys()) {
      if (index < oldest) {
        this.columns.delete(index);
      }
    }
  }
}
