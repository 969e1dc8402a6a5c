import type { Heartbeat, SourceError } from "./types";

/** What is known about a feed. The object is replaced by each change, and never by a quote. */
export interface FeedState {
  /** null until the source reports it. */
  readonly signedIn: boolean | null;
  /** The user's ID; null if the reader is not signed in, or has no account of its own. */
  readonly userID: string | null;
  /** null if there is no heartbeat document, or none has arrived yet. */
  readonly heartbeat: Heartbeat | null;
  /** True once the open listener has delivered the heartbeat. False while reading resumes. */
  readonly hasAnswered: boolean;
  readonly error: SourceError | null;
  /** When the last heartbeat arrived, by this computer's clock in milliseconds; null before the first. */
  readonly asOf: number | null;
  /** This computer's clock minus the writer's; `fallbackSkewSeconds` while it is unknown. */
  readonly skewSeconds: number;
  /** False while the page is hidden. */
  readonly isListening: boolean;
}

/** The state of a feed before anything has arrived. */
export const NOTHING_KNOWN: FeedState = {
  signedIn: null,
  userID: null,
  heartbeat: null,
  hasAnswered: false,
  error: null,
  asOf: null,
  skewSeconds: 0,
  isListening: false,
};
