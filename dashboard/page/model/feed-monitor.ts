import { Listeners } from "../../src/lib/clock";
import { SkewEstimate } from "../../src/lib/skew";
import type { Heartbeat, HeartbeatEvent, QuoteSource, SourceError } from "../../src/lib/types";
import { type FeedConfig, feedKey } from "../config";
import { type Badge, badgeOf, type FeedFacts } from "./badge";
import { FreshnessStrip } from "./freshness-strip";
import type { ReadMeter } from "./read-meter";
import type { PageClock } from "./timers";

// A listener ends with its error, so the page opens another one.
const RETRY_MILLISECONDS = 3000;
const RETRY_DENIED_MILLISECONDS = 10_000;

/** What all feeds share. */
export interface MonitorContext {
  clock: PageClock;
  meter: ReadMeter;
  staleAfter: number;
  /** This computer's clock minus that of the page's server, in milliseconds; null while unknown. */
  serverSkew: number | null;
}

/** Follows the heartbeat of one feed. */
export class FeedMonitor {
  readonly changes = new Listeners();
  readonly strip = new FreshnessStrip();
  readonly key: string;
  heartbeat: Heartbeat | null = null;
  /** When the last answer of Firestore arrived, by this computer's clock; null before the first. */
  receivedAt: number | null = null;
  error: SourceError | null = null;
  private readonly skewEstimate = new SkewEstimate();
  private listening = false;
  private unsubscribe: () => void = () => undefined;
  private answeredSinceStart = false;
  private retryAt = 0;

  constructor(
    readonly feed: FeedConfig,
    private readonly context: MonitorContext,
  ) {
    this.key = feedKey(feed);
  }

  /**
   * This computer's clock minus the writer's, in milliseconds.
   *
   * Until the second heartbeat arrives, the clock of the page's server stands in for the writer's.
   */
  get skew(): number {
    return this.skewEstimate.secondsOr((this.context.serverSkew ?? 0) / 1000) * 1000;
  }

  /** True while what is shown was received by the open listener. */
  get isCurrent(): boolean {
    return this.listening && this.answeredSinceStart && this.error === null;
  }

  /** Open the listener, unless it is open. */
  start(source: QuoteSource): void {
    if (this.listening || this.context.clock.now() < this.retryAt) {
      return;
    }
    this.answeredSinceStart = false;
    this.context.meter.listeners += 1;
    const { tenant, document } = this.feed;
    this.listening = true;
    this.unsubscribe = source.subscribeHeartbeat(tenant, document, (event) => this.take(event));
    this.changes.notify();
  }

  /** Close the listener. What was received stays. */
  stop(): void {
    if (this.listening) {
      this.listening = false;
      this.unsubscribe();
      this.context.meter.listeners -= 1;
      this.changes.notify();
    }
  }

  /** Forget what was received, as after signing out. */
  reset(): void {
    this.stop();
    this.heartbeat = null;
    this.receivedAt = null;
    this.error = null;
    this.retryAt = 0;
    this.changes.notify();
  }

  /** Return the state of the feed in words. */
  badge(access: { signedIn: boolean; online: boolean }): Badge {
    const facts: FeedFacts = {
      ...access,
      heartbeat: this.heartbeat,
      answered: this.receivedAt !== null,
      error: this.error,
      skew: this.skew,
    };
    return badgeOf(facts, this.context.clock.now(), this.context.staleAfter);
  }

  /** Record the state of the feed in the strip. A state of the page itself, such as loading, is not recorded. */
  recordState(badge: Badge): void {
    if (this.listening && badge.reason !== "loading" && badge.reason !== "denied" && badge.reason !== "offline") {
      this.strip.record(this.context.clock.now(), badge.reason, freshShare(this.heartbeat));
    }
  }

  private fail(now: number, error: SourceError): void {
    this.error = error;
    if (!error.ended) {
      this.changes.notify();
      return;
    }
    this.stop();
    this.retryAt = now + (error.code === "permission-denied" ? RETRY_DENIED_MILLISECONDS : RETRY_MILLISECONDS);
    this.changes.notify();
  }

  private take(event: HeartbeatEvent): void {
    const now = this.context.clock.now();
    if (event.kind === "error") {
      this.fail(now, event);
      return;
    }
    this.context.meter.countReads(now, event.documentsRead);
    this.error = null;
    if (event.fromCache) {
      // The answer of Firestore follows; until then, this can be older.
      this.heartbeat = event.heartbeat;
      this.changes.notify();
      return;
    }
    this.measureSkew(now, event.heartbeat?.ts ?? null);
    this.heartbeat = event.heartbeat;
    this.receivedAt = now;
    this.answeredSinceStart = true;
    this.changes.notify();
  }

  /** Take the arrival of a new heartbeat into account. One that arrives twice, or first, can be of any age. */
  private measureSkew(now: number, written: number | null): void {
    if (written === null || written === this.heartbeat?.ts) {
      return;
    }
    this.skewEstimate.addHeartbeat(now, written, !this.answeredSinceStart);
  }
}

/** Return the share of symbols whose quotes are fresh, of those that are expected to be; 1 if that is unknown. */
export function freshShare(heartbeat: Heartbeat | null): number {
  const counts = heartbeat?.freshness;
  if (!counts) {
    return 1;
  }
  const fresh = (counts.live ?? 0) + (counts.quiet ?? 0);
  const expected = fresh + (counts.stale ?? 0);
  return expected === 0 ? 1 : fresh / expected;
}
