/** Reads the time and calls back. Tests and benches replace it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Call `action` every `milliseconds`, until the function that this returns is called. */
  every(milliseconds: number, action: () => void): () => void;
}

/** The clock of this computer. */
export const browserClock: Clock = {
  now: () => Date.now(),
  every(milliseconds, action) {
    const timer = setInterval(action, milliseconds);
    return () => clearInterval(timer);
  },
};

/** Functions to call after a change, for React's useSyncExternalStore. */
export class Listeners {
  private readonly actions = new Set<() => void>();

  /** Call `action` after each change, until the function that this returns is called. */
  readonly subscribe = (action: () => void): (() => void) => {
    // A function of its own, so that an action that is subscribed twice is called until both have ended.
    const entry = () => action();
    this.actions.add(entry);
    return () => {
      this.actions.delete(entry);
    };
  };

  /** The number of subscriptions. */
  get size(): number {
    return this.actions.size;
  }

  /** Call all actions. */
  notify(): void {
    for (const action of [...this.actions]) {
      action();
    }
  }
}

const TICK_MILLISECONDS = 1000;

/** One timer for everything that shows an age or a countdown. It runs while something is subscribed. */
export class Ticker {
  private readonly listeners = new Listeners();
  private current: number;
  private stopTimer: (() => void) | null = null;

  constructor(private readonly clock: Clock) {
    this.current = clock.now();
  }

  /** The time of the last tick in milliseconds since the epoch: a value that stays equal between two ticks. */
  readonly now = (): number => this.current;

  readonly subscribe = (action: () => void): (() => void) => {
    const unsubscribe = this.listeners.subscribe(action);
    if (this.stopTimer === null) {
      this.current = this.clock.now();
      this.stopTimer = this.clock.every(TICK_MILLISECONDS, () => this.advance());
    }
    return () => {
      unsubscribe();
      if (this.listeners.size === 0) {
        this.stopTimer?.();
        this.stopTimer = null;
      }
    };
  };

  /** Read the clock now instead of at the next tick, for example when the page is visible again. */
  readonly advance = (): void => {
    this.current = this.clock.now();
    this.listeners.notify();
  };
}

const tickers = new WeakMap<Clock, Ticker>();

/** Return the one ticker of a clock. */
export function tickerOf(clock: Clock): Ticker {
  let ticker = tickers.get(clock);
  if (ticker === undefined) {
    ticker = new Ticker(clock);
    tickers.set(clock, ticker);
  }
  return ticker;
}
