import { browserClock, type Clock } from "../../src/lib/clock";

/** A clock that also knows when the browser draws. The bench and the tests replace it. */
export interface PageClock extends Clock {
  /** Call `action` before the next frame is drawn. */
  beforeFrame(action: () => void): void;
}

/** The clock of the browser. */
export const pageClock: PageClock = {
  ...browserClock,
  beforeFrame: (action) => void requestAnimationFrame(action),
};
