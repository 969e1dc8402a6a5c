import { type Clock, Listeners, tickerOf } from "./clock";
import { documentIDOf } from "./documentIDs";
import { type FeedState, NOTHING_KNOWN } from "./feedState";
import { network } from "./network";
import { QuoteListeners } from "./quoteListeners";
import { SkewEstimate } from "./skew";
import { errorOf } from "./sourceErrors";
import type { HeartbeatEvent, Identity, Quote, QuoteDocument, QuoteSource, SourceError, Unsubscribe } from "./types";
import { visibility } from "./visibility";

export interface StoreOptions {
  tenant: string;
  document: string;
  collection: string;
  stopWhenHidden: boolean;
  clock: Clock;
  /** This computer's clock minus another one, such as that of the page's server, until heartbeats show the writer's. */
  fallbackSkewSeconds?: number;
  /** Calls `flush` later, such as `requestAnimationFrame`; what changes until then is reported once. Absent: at once. */
  batch?: (flush: () => void) => void;
}

const RETRY_MILLISECONDS = 10_000;
/** A second that takes this long shows that the computer slept. */
const SLEEP_MILLISECONDS = 10_000;

const OFFLINE = /* @__PURE__ */ errorOf("offline");

/**
 * The heartbeat and the quotes of one feed. Each quote has its own subscription.
 *
 * A page with several feeds has a store for each. It passes the symbols that are on screen to `setSymbols`.
 */
export class LiveQuotesStore {
  private state: FeedState;
  private readonly changes = new Listeners();
  private readonly quoteChanges = new Set<(documentIDs: readonly string[]) => void>();
  private readonly quotes: QuoteListeners;
  private readonly skew = new SkewEstimate();
  private readonly unsubscribers: Unsubscribe[] = [];
  private closeHeartbeat: Unsubscribe | null = null;
  private cancelRetry: Unsubscribe | null = null;
  private heartbeatError: SourceError | null = null;
  private readCount = 0;
  private starts = 0;
  private lastTick = 0;

  constructor(
    private readonly source: QuoteSource,
    private readonly options: StoreOptions,
  ) {
    this.state = { ...NOTHING_KNOWN, skewSeconds: this.skewSeconds };
    this.quotes = new QuoteListeners(source, options, {
      onRead: (documents) => {
        this.readCount += documents;
      },
      onError: () => this.updateErrors(),
      onChange: (documentIDs) => {
        for (const action of [...this.quoteChanges]) {
          action(documentIDs);
        }
      },
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

  /** Return all quotes that are known, by document ID; null for a symbol without a document. */
  allQuotes(): ReadonlyMap<string, Quote | null> {
    return this.quotes.known();
  }

  /** Call `action` with the IDs of the documents after each change of quotes. */
  subscribeQuotes(action: (documentIDs: readonly string[]) => void): Unsubscribe {
    this.quoteChanges.add(action);
    return () => {
      this.quoteChanges.delete(action);
    };
  }

  /**
   * Take what `QuoteLister.listQuotes` returned: the quotes of a whole collection, as they were then.
   *
   * They stay although nothing listens to them, until the next list or the end of the sign-in. What a listener delivers
   * is newer and replaces them.
   */
  setListedQuotes(documents: readonly QuoteDocument[]): void {
    // Firestore bills a list without results as one read.
    this.readCount += Math.max(1, documents.length);
    this.quotes.setListed(documents);
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
      this.unsubscribers.push(tickerOf(this.options.clock).subscribe(() => this.onTick()));
      this.unsubscribers.push(network.subscribe(() => this.onNetwork()));
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
    if (signedIn === this.state.signedIn && userID === this.state.userID) {
      return;
    }
    this.closeListeners();
    this.heartbeatError = null;
    // What another user was allowed to read does not stay on the page.
    this.quotes.clear();
    this.update({ ...NOTHING_KNOWN, signedIn, userID, skewSeconds: this.skewSeconds });
    this.listenIfNeeded();
  }

  private get skewSeconds(): number {
    return this.skew.secondsOr(this.options.fallbackSkewSeconds ?? 0);
  }

  /** After the computer slept, what is shown is old, and a listener may be open that delivers nothing any more. */
  private onTick(): void {
    const now = this.options.clock.now();
    const slept = now - this.lastTick > SLEEP_MILLISECONDS;
    this.lastTick = now;
    // The browser slows the timers of a hidden page.
    if (slept && !visibility.isHidden()) {
      this.listenAgain();
    }
  }

  private onNetwork(): void {
    if (!network.isOffline()) {
      this.listenAgain();
    }
    this.updateErrors();
  }

  private listenAgain(): void {
    if (this.state.isListening) {
      this.closeListeners();
      this.listenIfNeeded();
    }
  }

  private listenIfNeeded(): void {
    const isHidden = this.options.stopWhenHidden && visibility.isHidden();
    const isWanted = this.starts > 0 && this.state.signedIn === true && !isHidden;
    if (isWanted && !this.state.isListening) {
      this.lastTick = this.options.clock.now();
      this.update({ isListening: true });
      this.openHeartbeat();
      this.quotes.start();
    } else if (!isWanted && this.state.isListening) {
      this.closeListeners();
    }
    this.updateErrors();
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
    this.update({ heartbeat: event.heartbeat, hasAnswered: true, asOf: now, skewSeconds: this.skewSeconds });
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
    const found = this.heartbeatError ?? this.quotes.error;
    const isOffline = this.state.isListening && found?.code !== "permission-denied" && network.isOffline();
    const error = isOffline ? OFFLINE : found;
    if (error !== this.state.error) {
      this.update({ error });
    }
  }

  private update(changes: Partial<FeedState>): void {
    this.state = { ...this.state, ...changes };
    this.changes.notify();
  }
}
