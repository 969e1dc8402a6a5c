import { type Clock, Listeners } from "./clock";
import { documentIDOf } from "./documentIDs";
import { QuoteListeners } from "./quoteListeners";
import { SkewEstimate } from "./skew";
import type { Heartbeat, HeartbeatEvent, Identity, Quote, QuoteSource, SourceError, Unsubscribe } from "./types";
import { visibility } from "./visibility";

/** What is known about a feed. The object is replaced by each change, and never by a quote. */
export interface FeedState {
  /** null until the source reports it. */
  readonly signedIn: boolean | null;
  /** null if there is no heartbeat document, or none has arrived yet. */
  readonly heartbeat: Heartbeat | null;
  /** True once the open listener has delivered the heartbeat. False while reading resumes. */
  readonly hasAnswered: boolean;
  readonly error: SourceError | null;
  /** When the last heartbeat arrived, by this computer's clock in milliseconds; null before the first. */
  readonly asOf: number | null;
  /** This computer's clock minus the writer's; 0 while it is unknown. */
  readonly skewSeconds: number;
  /** False while the page is hidden. */
  readonly isListening: boolean;
}

export interface StoreOptions {
  tenant: string;
  document: string;
  collection: string;
  stopWhenHidden: boolean;
  clock: Clock;
}

const RETRY_MILLISECONDS = 10_000;

const INITIAL_STATE: FeedState = {
  signedIn: null,
  heartbeat: null,
  hasAnswered: false,
  error: null,
  asOf: null,
  skewSeconds: 0,
  isListening: false,
};

/** The heartbeat and the quotes of one feed. Each quote has its own subscription. */
export class LiveQuotesStore {
  private state = INITIAL_STATE;
  private readonly changes = new Listeners();
  private readonly quotes: QuoteListeners;
  private readonly skew = new SkewEstimate();
  private readonly unsubscribers: Unsubscribe[] = [];
  private closeHeartbeat: Unsubscribe | null = null;
  private cancelRetry: Unsubscribe | null = null;
  private heartbeatError: SourceError | null = null;
  private userID: string | null = null;
  private readCount = 0;
  private starts = 0;

  constructor(
    private readonly source: QuoteSource,
    private readonly options: StoreOptions,
  ) {
    this.quotes = new QuoteListeners(source, options, {
      onRead: (documents) => {
        this.readCount += documents;
      },
      onError: () => this.updateErrors(),
    });
  }

  /** The number of documents that Firestore bills for this store so far. */
  get documentsRead(): number {
    return this.readCount;
  }

  /** The number of open listeners. */
  get openListeners(): number {
    return this.quotes.openListeners + (this.closeHeartbeat === null ? 0 : 1);
  }

  /** Return what is known about the feed: the same object until it changes. */
  readonly feed = (): FeedState => this.state;

  /** Call `action` after each change of the feed, and not after changes of quotes. */
  readonly subscribe = this.changes.subscribe;

  /** Return the quote of a symbol; null if it has no document, undefined while that is unknown. */
  quote(symbol: string): Quote | null | undefined {
    return this.quotes.quote(documentIDOf(symbol));
  }

  /** Call `action` after each change of the quote of one symbol. */
  subscribeQuote(symbol: string, action: () => void): Unsubscribe {
    return this.quotes.subscribe(documentIDOf(symbol), action);
  }

  /** Listen to these symbols and no others. Symbols that stay keep their listener where possible. */
  setSymbols(symbols: readonly string[]): void {
    this.quotes.setDocumentIDs([...new Set(symbols.map(documentIDOf))]);
  }

  /** Start to listen. Returns the function that stops; what was received stays. */
  start(): Unsubscribe {
    this.starts += 1;
    if (this.starts === 1) {
      this.unsubscribers.push(this.source.subscribeIdentity((identity) => this.onIdentity(identity)));
      if (this.options.stopWhenHidden) {
        this.unsubscribers.push(visibility.subscribe(() => this.listenIfNeeded()));
      }
      this.listenIfNeeded();
    }
    let isStarted = true;
    return () => {
      if (isStarted) {
        isStarted = false;
        this.starts -= 1;
        this.stopIfUnused();
      }
    };
  }

  private stopIfUnused(): void {
    if (this.starts > 0) {
      return;
    }
    for (const unsubscribe of this.unsubscribers.splice(0)) {
      unsubscribe();
    }
    this.closeListeners();
  }

  private onIdentity({ signedIn, userID }: Identity): void {
    if (signedIn === this.state.signedIn && userID === this.userID) {
      return;
    }
    this.userID = userID;
    this.closeListeners();
    this.heartbeatError = null;
    // What another user was allowed to read does not stay on the page.
    this.quotes.clear();
    this.update({ ...INITIAL_STATE, signedIn });
    this.listenIfNeeded();
  }

  private listenIfNeeded(): void {
    const isHidden = this.options.stopWhenHidden && visibility.isHidden();
    const isWanted = this.starts > 0 && this.state.signedIn === true && !isHidden;
    if (isWanted && !this.state.isListening) {
      this.update({ isListening: true });
      this.openHeartbeat();
      this.quotes.start();
    } else if (!isWanted && this.state.isListening) {
      this.closeListeners();
    }
  }

  private closeListeners(): void {
    this.closeHeartbeat?.();
    this.closeHeartbeat = null;
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.quotes.stop();
    this.update({ isListening: false, hasAnswered: false });
  }

  private openHeartbeat(): void {
    const { tenant, document } = this.options;
    this.closeHeartbeat = this.source.subscribeHeartbeat(tenant, document, (event) => this.onHeartbeat(event));
  }

  private onHeartbeat(event: HeartbeatEvent): void {
    if (event.kind === "error") {
      this.heartbeatError = event;
      this.update({ hasAnswered: false });
      this.updateErrors();
      if (event.ended) {
        this.closeHeartbeat = null;
        this.retryLater();
      }
      return;
    }
    const now = this.options.clock.now();
    this.readCount += event.documentsRead;
    if (event.fromCache) {
      this.update({ heartbeat: event.heartbeat });
      return;
    }
    const ts = event.heartbeat?.ts ?? null;
    if (ts !== null && ts !== this.state.heartbeat?.ts) {
      this.skew.addHeartbeat(now, ts, !this.state.hasAnswered);
    }
    this.heartbeatError = null;
    this.update({ heartbeat: event.heartbeat, hasAnswered: true, asOf: now, skewSeconds: this.skew.seconds });
    this.updateErrors();
  }

  /** Firestore ends a listener that it refuses. The reason can go away, for example when a membership is granted. */
  private retryLater(): void {
    this.cancelRetry?.();
    const cancel = this.options.clock.every(RETRY_MILLISECONDS, () => {
      cancel();
      this.cancelRetry = null;
      this.openHeartbeat();
    });
    this.cancelRetry = cancel;
  }

  private updateErrors(): void {
    const error = this.heartbeatError ?? this.quotes.error;
    if (error !== this.state.error) {
      this.update({ error });
    }
  }

  private update(changes: Partial<FeedState>): void {
    this.state = { ...this.state, ...changes };
    this.changes.notify();
  }
}
