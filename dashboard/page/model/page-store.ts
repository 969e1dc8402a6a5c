import type { Badge } from "../../src/lib/badge";
import { browserClock, type Clock, Listeners, tickerOf } from "../../src/lib/clock";
import { verdictOf } from "../../src/lib/feedVerdict";
import type { QuoteLister, QuoteSource } from "../../src/lib/types";
import { type FeedConfig, feedKey, type PageConfig } from "../config";
import { Feed } from "./feed";
import { ReadMeter } from "./read-meter";
import type { RowContext } from "./rows";

/** Where the page reads, and how its user signs in and out. */
export interface PageSource extends QuoteSource, QuoteLister {
  signIn(): Promise<void>;
  signOut(): Promise<void>;
}

interface PageOptions {
  /** This computer's clock minus that of the page's server, in seconds; null while it is unknown. */
  serverSkewSeconds: number | null;
  selected: FeedConfig | null;
  clock?: Clock;
  batch?: (flush: () => void) => void;
}

/** A feed with its state in words. */
export interface BadgedFeed {
  feed: Feed;
  badge: Badge;
}

/** All state of the page: its feeds, and which of them is selected. It never writes to Firestore. */
export class PageStore {
  /** Reports each second, and each change of a feed, of the status of a quote, or of the selection. */
  readonly changes = new Listeners();
  readonly meter = new ReadMeter();
  readonly feeds: readonly Feed[];
  selected: Feed;
  signInError: string | null = null;
  /** Grows with each change, as the snapshot for React. */
  version = 0;
  readonly clock: Clock;
  private isChosen: boolean;
  private userID: string | null = null;
  private readonly closers: (() => void)[] = [];

  constructor(
    readonly config: PageConfig,
    private readonly source: PageSource,
    { serverSkewSeconds, selected, clock = browserClock, batch }: PageOptions,
  ) {
    const { heartbeatStaleAfterSeconds } = config;
    const options = {
      clock,
      heartbeatStaleAfterSeconds,
      serverSkewSeconds: serverSkewSeconds ?? 0,
      ...(batch && { batch }),
    };
    this.clock = clock;
    this.feeds = config.feeds.map((feed) => new Feed(feed, source, options));
    this.isChosen = selected !== null;
    this.selected = this.feedOf(selected ?? (config.feeds[0] as FeedConfig));
  }

  /** Begin to listen and to count the seconds. */
  open(): void {
    for (const { store, symbols } of this.feeds) {
      this.closers.push(store.subscribe(() => this.onFeed()));
      this.closers.push(symbols.changes.subscribe(() => this.notify()));
      this.closers.push(store.start());
    }
    this.closers.push(tickerOf(this.clock).subscribe(() => this.onSecond()));
  }

  /** Close all listeners and timers. */
  close(): void {
    for (const close of this.closers.splice(0)) {
      close();
    }
  }

  /** The time of the last second: rows and counts use the same one, so that they agree. */
  get now(): number {
    return tickerOf(this.clock).now();
  }

  /** The number of documents that Firestore bills for this page so far. */
  get documentsRead(): number {
    return this.feeds.reduce((sum, { store }) => sum + store.documentsRead, 0);
  }

  /** The number of open listeners. */
  get openListeners(): number {
    return this.feeds.reduce((sum, { store }) => sum + store.openListeners, 0);
  }

  /** Return all feeds with their states, the worst first. */
  badgedFeeds(): BadgedFeed[] {
    const sorted = [...this.feeds].sort((a, b) => b.severity(this.now) - a.severity(this.now));
    return sorted.map((feed) => ({ feed, badge: feed.badge(this.now) }));
  }

  /** Return what the verdicts on the selected feed's quotes depend on. */
  rowContext(): RowContext {
    const { state, config, live } = this.selected;
    const otherSessions = new Set<string>();
    for (const other of this.feeds) {
      const sessionID = other.state.heartbeat?.sessionID;
      if (other.config.tenant === config.tenant && sessionID && sessionID !== state.heartbeat?.sessionID) {
        otherSessions.add(sessionID);
      }
    }
    return { feed: state, now: this.now, staleAfterSeconds: live.heartbeatStaleAfterSeconds, otherSessions };
  }

  /** Show another feed. */
  select(feed: Feed): void {
    this.isChosen = true;
    this.show(feed);
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

  private onFeed(): void {
    const { userID } = this.selected.state;
    if (userID !== this.userID) {
      this.userID = userID;
      for (const { symbols } of this.feeds) {
        symbols.reset();
      }
    }
    this.chooseOnce();
    this.listSymbols();
    this.notify();
  }

  /** Choose the worst feed once all have answered; only once, so that the page does not change under its reader. */
  private chooseOnce(): void {
    if (!this.isChosen && this.feeds.every((each) => each.isAnswered)) {
      this.isChosen = true;
      this.show(this.badgedFeeds()[0]?.feed ?? this.selected);
    }
  }

  private onSecond(): void {
    const { now } = this;
    this.meter.record(now, this.documentsRead);
    for (const feed of this.feeds) {
      feed.recordState(now);
    }
    const { symbols, state, live } = this.selected;
    if (state.isListening) {
      symbols.recordPrices(now, (quote) => verdictOf(quote, state, now, live.heartbeatStaleAfterSeconds).live);
    }
    this.listSymbols();
    this.notify();
  }

  private show(feed: Feed): void {
    if (feed !== this.selected) {
      this.selected.symbols.hide();
      this.selected = feed;
      this.listSymbols();
    }
  }

  /** List quotes once the heartbeat is known: before, nothing says whether they can be relied on. */
  private listSymbols(): void {
    const { symbols, state } = this.selected;
    if (state.hasAnswered && state.error === null) {
      symbols.listIfDue(state.heartbeat?.symbols?.desired ?? 0);
    }
  }

  private feedOf(config: FeedConfig): Feed {
    return this.feeds.find(({ key }) => key === feedKey(config)) as Feed;
  }

  private notify(): void {
    this.version += 1;
    this.changes.notify();
  }
}
