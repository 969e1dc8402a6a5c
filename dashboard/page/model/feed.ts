import { type Badge, badgeOf } from "../../src/lib/badge";
import type { Clock } from "../../src/lib/clock";
import type { FeedState } from "../../src/lib/feedState";
import { LiveQuotesStore } from "../../src/lib/store";
import type { Heartbeat, QuoteLister, QuoteSource } from "../../src/lib/types";
import type { LiveQuotesOfRow } from "../../src/lib/useLiveQuotes";
import { type FeedConfig, feedKey } from "../config";
import { FreshnessStrip } from "./freshness-strip";
import { severity } from "./severity";
import { SymbolList } from "./symbol-list";

/** What all feeds share. */
export interface FeedOptions {
  clock: Clock;
  heartbeatStaleAfterSeconds: number;
  /** This computer's clock minus that of the page's server; 0 while it is unknown. */
  serverSkewSeconds: number;
  /** Calls back before the next frame, so that no row is drawn twice in one. */
  batch?: (flush: () => void) => void;
}

/** One feed of the page: the library's store, and what the page adds to it. */
export class Feed {
  readonly key: string;
  readonly store: LiveQuotesStore;
  readonly symbols: SymbolList;
  readonly strip = new FreshnessStrip();
  /** For `useQuote`. */
  readonly live: LiveQuotesOfRow;

  constructor(
    readonly config: FeedConfig,
    source: QuoteSource & QuoteLister,
    options: FeedOptions,
  ) {
    const { clock, heartbeatStaleAfterSeconds, serverSkewSeconds: fallbackSkewSeconds, batch } = options;
    this.key = feedKey(config);
    this.store = new LiveQuotesStore(source, { ...config, stopWhenHidden: true, clock, fallbackSkewSeconds, batch });
    this.symbols = new SymbolList(this.store, clock, () => source.listQuotes(config.tenant, config.collection));
    this.live = { store: this.store, clock, heartbeatStaleAfterSeconds };
  }

  /** What is known about the feed. */
  get state(): FeedState {
    return this.store.feed();
  }

  /** When what is shown was received, by this computer's clock, if it is no longer current; otherwise null. */
  get asOf(): number | null {
    const { hasAnswered, error, asOf } = this.state;
    return hasAnswered && error === null ? null : asOf;
  }

  /** True once Firestore has delivered the heartbeat or refused it. */
  get isAnswered(): boolean {
    return this.state.hasAnswered || this.state.error !== null;
  }

  /** Return the state of the feed in words. */
  badge(now: number): Badge {
    return badgeOf(this.state, now, this.live.heartbeatStaleAfterSeconds);
  }

  /** Return how bad the state of the feed is: a larger number is worse. */
  severity(now: number): number {
    const { state } = this.badge(now);
    const isUnwritten = state === "offline" && this.state.signedIn && this.state.error === null;
    return severity(isUnwritten ? "never_heard_of" : state);
  }

  /** Record the state of the feed in the strip, unless the page cannot read the feed or no job has written it. */
  recordState(now: number): void {
    const { hasAnswered, error, heartbeat } = this.state;
    if (hasAnswered && error === null && heartbeat !== null) {
      this.strip.record(now, this.badge(now).state, freshShare(heartbeat));
    }
  }
}

/** Return the share of symbols whose quotes are fresh, of those that are expected to be; 1 if that is unknown. */
export function freshShare(heartbeat: Heartbeat | null): number {
  const counts = heartbeat?.freshness;
  if (!counts) {
    return 1;
  }
  const fresh = counts.live + counts.quiet;
  const expected = fresh + counts.stale + (counts.unheard ?? 0);
  return expected === 0 ? 1 : fresh / expected;
}
