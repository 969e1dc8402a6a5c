import { Listeners } from "../../src/lib/clock";
import type { Identity, QuoteLister, QuoteSource } from "../../src/lib/types";
import { type FeedConfig, feedKey, type PageConfig } from "../config";
import type { Badge } from "./badge";
import { FeedMonitor, type MonitorContext } from "./feed-monitor";
import { QuoteBoard } from "./quote-board";
import { ReadMeter } from "./read-meter";
import type { RowContext } from "./rows";
import { severity } from "./severity";
import { type PageClock, pageClock } from "./timers";

/** Where the page reads, and how its user signs in and out. */
export interface PageSource extends QuoteSource, QuoteLister {
  signIn(): Promise<void>;
  signOut(): Promise<void>;
}

/** A feed with its state in words. */
export interface FeedState {
  monitor: FeedMonitor;
  badge: Badge;
}

const SECOND = 1000;
/** A timer that is this late shows that the computer slept. */
const SLEEP_MILLISECONDS = 10_000;

/** All state of the page. React reads it, and calls its methods; it never writes to Firestore. */
export class PageStore {
  /** Reports each second, and each change of a heartbeat, the identity, the selection or the network. */
  readonly changes = new Listeners();
  readonly meter = new ReadMeter();
  readonly monitors: FeedMonitor[];
  board: QuoteBoard;
  identity: Identity | null = null;
  signInError: string | null = null;
  online = true;
  hidden = false;
  /** Grows with each change, as the snapshot for React. */
  version = 0;
  readonly clock: PageClock;
  private chosen: string | null;
  private lastSecond: number;
  private sleptAt: number | null = null;
  private readonly closers: (() => void)[] = [];

  constructor(
    readonly config: PageConfig,
    private readonly source: PageSource,
    options: { serverSkew: number | null; selected: FeedConfig | null; clock?: PageClock },
  ) {
    this.clock = options.clock ?? pageClock;
    this.lastSecond = this.clock.now();
    const context: MonitorContext = {
      clock: this.clock,
      meter: this.meter,
      staleAfter: config.heartbeatStaleAfterSeconds,
      serverSkew: options.serverSkew,
    };
    this.monitors = config.feeds.map((feed) => new FeedMonitor(feed, context));
    this.chosen = options.selected ? feedKey(options.selected) : null;
    this.board = this.newBoard(options.selected ?? (config.feeds[0] as FeedConfig));
  }

  /** Begin to listen and to count the seconds. */
  open(): void {
    for (const monitor of this.monitors) {
      this.closers.push(monitor.changes.subscribe(() => this.onHeartbeat()));
    }
    this.closers.push(this.source.subscribeIdentity((identity) => this.onIdentity(identity)));
    this.closers.push(this.clock.every(SECOND, () => this.onSecond()));
  }

  /** Close all listeners and timers. */
  close(): void {
    this.stopReading();
    for (const close of this.closers.splice(0)) {
      close();
    }
  }

  /** The monitor of the selected feed. */
  get selected(): FeedMonitor {
    return this.monitors.find((each) => each.key === feedKey(this.board.feed)) as FeedMonitor;
  }

  /** Return all feeds with their states, the worst first. */
  feedStates(): FeedState[] {
    const states = this.monitors.map((monitor) => ({ monitor, badge: this.badgeOf(monitor) }));
    return states.sort((a, b) => rankOf(b.badge) - rankOf(a.badge));
  }

  /** Return the state of one feed in words. */
  badgeOf(monitor: FeedMonitor): Badge {
    return monitor.badge({ signedIn: this.identity?.signedIn ?? true, online: this.online });
  }

  /** Return what the verdicts on the selected feed's quotes depend on. */
  rowContext(): RowContext {
    const { heartbeat, skew } = this.selected;
    const otherSessions = new Set<string>();
    for (const { feed, heartbeat: other } of this.monitors) {
      const isOfTenant = feed.tenant === this.board.feed.tenant;
      if (isOfTenant && other?.sessionID && other.sessionID !== heartbeat?.sessionID) {
        otherSessions.add(other.sessionID);
      }
    }
    const { heartbeatStaleAfterSeconds: staleAfter } = this.config;
    return { heartbeat, skew, now: this.clock.now(), staleAfter, otherSessions };
  }

  /** When what is shown was received, if it is no longer current; otherwise null. */
  get asOf(): number | null {
    return this.selected.isCurrent && this.online && !this.sleptAt ? null : this.selected.receivedAt;
  }

  /** Show another feed. */
  select(feed: FeedConfig): void {
    this.chosen = feedKey(feed);
    this.showFeed(feed);
    this.notify();
  }

  /** Stop or continue reading with the visibility of the page. */
  setHidden(hidden: boolean): void {
    this.hidden = hidden;
    this.read();
    this.notify();
  }

  /** Take the state of the network into account. */
  setOnline(online: boolean): void {
    this.online = online;
    this.notify();
  }

  /** Sign in; a failure is shown on the page. */
  async signIn(): Promise<void> {
    await this.changeIdentity(() => this.source.signIn());
  }

  /** Sign out; a failure is shown on the page. */
  async signOut(): Promise<void> {
    await this.changeIdentity(() => this.source.signOut());
  }

  private async changeIdentity(change: () => Promise<void>): Promise<void> {
    try {
      this.signInError = null;
      await change();
    } catch (error) {
      this.signInError = error instanceof Error ? error.message : String(error);
    }
    this.notify();
  }

  private onIdentity(identity: Identity): void {
    this.identity = identity;
    if (!identity.signedIn) {
      this.stopReading();
      for (const monitor of this.monitors) {
        monitor.reset();
      }
      this.board = this.newBoard(this.board.feed);
    }
    this.read();
    this.notify();
  }

  private onHeartbeat(): void {
    this.sleptAt = null;
    const worst = this.feedStates()[0];
    const allAnswered = this.monitors.every((each) => each.receivedAt !== null || each.error !== null);
    if (this.chosen === null && worst && allAnswered) {
      // The first choice is made once, so that the page does not change under its reader.
      this.chosen = worst.monitor.key;
      this.showFeed(worst.monitor.feed);
    }
    this.readQuotes();
    this.notify();
  }

  private onSecond(): void {
    const now = this.clock.now();
    if (now - this.lastSecond > SLEEP_MILLISECONDS && !this.hidden) {
      this.sleptAt = this.lastSecond;
    }
    this.lastSecond = now;
    this.read();
    for (const monitor of this.monitors) {
      monitor.recordState(this.badgeOf(monitor));
    }
    this.board.recordPrices(this.rowContext());
    this.notify();
  }

  private showFeed(feed: FeedConfig): void {
    if (feedKey(feed) === feedKey(this.board.feed)) {
      return;
    }
    this.board.stop();
    this.board = this.newBoard(feed);
    this.read();
  }

  private newBoard(feed: FeedConfig): QuoteBoard {
    const board = new QuoteBoard(feed, this.clock, this.meter);
    // The counts beside the search field change together with the rows.
    board.changes.subscribe(() => this.notify());
    return board;
  }

  /** Read what may be read and is on screen, and nothing else. */
  private read(): void {
    if (this.hidden || !this.identity?.signedIn) {
      this.stopReading();
      return;
    }
    for (const monitor of this.monitors) {
      monitor.start(this.source);
    }
    this.readQuotes();
  }

  /** Read quotes once the heartbeat is known: before, nothing says whether they can be relied on. */
  private readQuotes(): void {
    if (this.selected.isCurrent) {
      this.board.start(this.source, this.selected.heartbeat?.symbols?.desired ?? 0);
    }
  }

  private stopReading(): void {
    for (const monitor of this.monitors) {
      monitor.stop();
    }
    this.board.stop();
  }

  private notify(): void {
    this.version += 1;
    this.changes.notify();
  }
}

function rankOf(badge: Badge): number {
  if (badge.reason === "loading") {
    return -1;
  }
  return badge.reason === "denied" || badge.reason === "offline" ? severity("not_signed_in") : severity(badge.reason);
}
