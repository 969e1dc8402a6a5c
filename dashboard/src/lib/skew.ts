import type { Heartbeat } from "./types";

/** Clocks that differ by more than this are reported to the user. */
export const SKEW_TOLERANCE_SECONDS = 5;

/** A writer's clock that is wrong by more than this is reported to the user. */
const WRITER_TOLERANCE_SECONDS = 2;

const HEARTBEATS_KEPT = 8;

/**
 * An estimate of how far this computer's clock is ahead of the writer's.
 *
 * A heartbeat arrives after it was written: its arrival minus its `ts` is the skew plus a delay that is never negative.
 * The smallest of the last differences is therefore the best estimate. The heartbeat that a new listener delivers first
 * can be of any age, so it is only an upper bound. `skew_cases` in `clients/cases.json` are the standard: Python's
 * `SkewEstimator` passes the same cases.
 */
export class SkewEstimate {
  private differences: number[] = [];
  private lastTs: number | null = null;
  private hasArrival = false;

  /**
   * Add a heartbeat; a repeated one changes nothing. Times are in milliseconds; `isFirst` marks the first heartbeat of
   * a listener.
   */
  addHeartbeat(arrivedAt: number, ts: number, isFirst: boolean): void {
    if (ts === this.lastTs) {
      return;
    }
    this.lastTs = ts;
    this.hasArrival ||= !isFirst;
    this.differences = [...this.differences.slice(1 - HEARTBEATS_KEPT), arrivedAt - ts];
  }

  /** This computer's clock minus the writer's, in seconds; 0 while it is unknown. */
  get seconds(): number {
    return this.secondsOr(0);
  }

  /** The same, with `fallbackSeconds` until a heartbeat after the first one of a listener has arrived. */
  secondsOr(fallbackSeconds: number): number {
    const smallest = Math.min(...this.differences) / 1000;
    return this.hasArrival ? smallest : Math.min(smallest, fallbackSeconds);
  }
}

/** A sentence about a clock, and what to do. */
export interface ClockWarning {
  message: string;
  remedy: string;
}

/** Return a sentence about the writer's clock if the heartbeat reports that it is wrong by more than 2 s, or null. */
export function writerClockWarning(heartbeat: Heartbeat | null): ClockWarning | null {
  const seconds = (heartbeat?.clockSkewMs ?? 0) / 1000;
  if (Math.abs(seconds) <= WRITER_TOLERANCE_SECONDS) {
    return null;
  }
  return {
    message: `The writer's clock is ${Math.abs(seconds).toFixed(1)} s ${directionOf(seconds)} the provider's.`,
    remedy: "Synchronize the clock of the node that runs the pod (NTP).",
  };
}

/** Return a sentence about this computer's clock and what to do, or null if the skew is tolerable. */
export function skewWarning(skewSeconds: number): ClockWarning | null {
  if (Math.abs(skewSeconds) <= SKEW_TOLERANCE_SECONDS) {
    return null;
  }
  return {
    message: `This computer's clock is ${Math.round(Math.abs(skewSeconds))} s ${directionOf(skewSeconds)} the writer's.`,
    remedy: "Ages are corrected for it. Synchronize this computer's clock (NTP).",
  };
}

function directionOf(seconds: number): string {
  return seconds > 0 ? "ahead of" : "behind";
}
