import type { Clock } from "../lib/clock";

interface Timer {
  dueAt: number;
  period: number;
  action: () => void;
}

/** A clock that stands still until `advance` moves it. */
export class FakeClock implements Clock {
  private readonly timers = new Set<Timer>();

  /** `time` is in milliseconds since the epoch. */
  constructor(private time: number = Date.UTC(2026, 2, 2, 15, 0, 0)) {}

  now(): number {
    return this.time;
  }

  every(milliseconds: number, action: () => void): () => void {
    const timer = { dueAt: this.time + milliseconds, period: milliseconds, action };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }

  /** The number of timers that run. */
  get timerCount(): number {
    return this.timers.size;
  }

  /** Move the time forward and run what becomes due, in order. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (let timer = this.nextDue(end); timer !== null; timer = this.nextDue(end)) {
      // After a jump, a timer is late, and runs once for all that it missed.
      this.time = Math.max(this.time, timer.dueAt);
      timer.dueAt = this.time + timer.period;
      timer.action();
    }
    this.time = end;
  }

  /** Change the time and run nothing, like a computer that wakes up or whose clock is set. */
  jump(milliseconds: number): void {
    this.time += milliseconds;
  }

  private nextDue(end: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.timers) {
      if (timer.dueAt <= end && (next === null || timer.dueAt < next.dueAt)) {
        next = timer;
      }
    }
    return next;
  }
}
