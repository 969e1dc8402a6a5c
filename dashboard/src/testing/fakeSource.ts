import { documentIDOf } from "../lib/documentIDs";
import { errorOf } from "../lib/sourceErrors";
import {
  type Heartbeat,
  type HeartbeatEvent,
  type Identity,
  MAX_IDS_PER_LISTENER,
  type Quote,
  type QuoteDocument,
  type QuoteLister,
  type QuoteSource,
  type QuotesEvent,
  type SourceErrorCode,
  type Unsubscribe,
} from "../lib/types";

export { FakeClock } from "./fakeClock";
export { startTraffic, type Traffic } from "./fakeTraffic";
export { sampleHeartbeat, sampleQuote } from "./samples";

interface Subscription<Event> {
  listener: (event: Event) => void;
  isOpen: boolean;
}

interface HeartbeatSubscription extends Subscription<HeartbeatEvent> {
  path: string;
}

interface QuotesSubscription extends Subscription<QuotesEvent> {
  path: string;
  ids: ReadonlySet<string>;
}

/**
 * A QuoteSource in memory that behaves like Firestore: a new listener gets the present state in a later microtask, and
 * then each change at once.
 */
export class FakeSource implements QuoteSource, QuoteLister {
  /** The number of documents that all listeners and lists have read. */
  documentsRead = 0;
  private readonly heartbeats = new Map<string, Heartbeat>();
  private readonly quotes = new Map<string, Map<string, Quote>>();
  private readonly heartbeatListeners = new Set<HeartbeatSubscription>();
  private readonly quoteListeners = new Set<QuotesSubscription>();
  private readonly identityListeners = new Set<(identity: Identity) => void>();
  private identity: Identity = { signedIn: true, userID: "user-1" };
  private refusal: SourceErrorCode | null = null;

  /** The number of open listeners for heartbeats and quotes. */
  get openListeners(): number {
    return this.heartbeatListeners.size + this.quoteListeners.size;
  }

  /** The document IDs that each open listener for quotes names. */
  get listenedIDs(): string[][] {
    return [...this.quoteListeners].map(({ ids }) => [...ids]);
  }

  /** Write the heartbeat document, or remove it if `heartbeat` is null. */
  putHeartbeat(heartbeat: Heartbeat | null, tenant = "acme", document = "market_ingest"): void {
    const path = `${tenant}/${document}`;
    if (heartbeat === null) {
      this.heartbeats.delete(path);
    } else {
      this.heartbeats.set(path, heartbeat);
    }
    for (const each of [...this.heartbeatListeners]) {
      if (each.path === path) {
        this.documentsRead += 1;
        each.listener({ kind: "data", heartbeat, documentsRead: 1, fromCache: false });
      }
    }
  }

  /** Write quote documents. A listener gets those that it names in one event. */
  putQuotes(quotes: readonly Quote[], tenant = "acme", collection = "live_quotes"): void {
    const path = `${tenant}/${collection}`;
    const documents = this.collectionAt(path);
    const changed = quotes.map((quote) => ({ id: documentIDOf(quote.symbol), quote }));
    for (const { id, quote } of changed) {
      documents.set(id, quote);
    }
    this.deliver(path, changed, []);
  }

  putQuote(quote: Quote, tenant = "acme", collection = "live_quotes"): void {
    this.putQuotes([quote], tenant, collection);
  }

  removeQuote(symbol: string, tenant = "acme", collection = "live_quotes"): void {
    const path = `${tenant}/${collection}`;
    this.collectionAt(path).delete(documentIDOf(symbol));
    this.deliver(path, [], [documentIDOf(symbol)]);
  }

  setIdentity(signedIn: boolean): void {
    this.identity = { signedIn, userID: signedIn ? "user-1" : null };
    for (const listener of [...this.identityListeners]) {
      listener(this.identity);
    }
  }

  /** End all listeners with an error, and refuse new ones until `recover`. With `offline`, listeners only report it. */
  fail(code: SourceErrorCode): void {
    const error = errorOf(code);
    this.refusal = error.ended ? code : null;
    for (const set of [this.heartbeatListeners, this.quoteListeners]) {
      for (const each of [...set]) {
        if (error.ended) {
          each.isOpen = false;
          (set as Set<Subscription<never>>).delete(each as Subscription<never>);
        }
        each.listener(error);
      }
    }
  }

  /** Accept new listeners, and report to the open ones that Firestore is reached. */
  recover(): void {
    this.refusal = null;
    for (const each of [...this.heartbeatListeners]) {
      this.answerHeartbeat(each);
    }
    for (const each of [...this.quoteListeners]) {
      this.answerQuotes(each);
    }
  }

  subscribeHeartbeat(tenant: string, document: string, listener: (event: HeartbeatEvent) => void): Unsubscribe {
    const subscription = { path: `${tenant}/${document}`, listener, isOpen: true };
    return this.open(this.heartbeatListeners, subscription, () => this.answerHeartbeat(subscription));
  }

  subscribeQuotes(
    tenant: string,
    collection: string,
    documentIDs: readonly string[],
    listener: (event: QuotesEvent) => void,
  ): Unsubscribe {
    if (documentIDs.length === 0 || documentIDs.length > MAX_IDS_PER_LISTENER) {
      throw new RangeError(`a listener names 1 to ${MAX_IDS_PER_LISTENER} documents; this one ${documentIDs.length}`);
    }
    const subscription = { path: `${tenant}/${collection}`, ids: new Set(documentIDs), listener, isOpen: true };
    return this.open(this.quoteListeners, subscription, () => this.answerQuotes(subscription));
  }

  subscribeIdentity(listener: (identity: Identity) => void): Unsubscribe {
    this.identityListeners.add(listener);
    queueMicrotask(() => {
      if (this.identityListeners.has(listener)) {
        listener(this.identity);
      }
    });
    return () => {
      this.identityListeners.delete(listener);
    };
  }

  async listQuotes(tenant: string, collection: string): Promise<QuoteDocument[]> {
    if (this.refusal !== null) {
      throw errorOf(this.refusal);
    }
    const found = [...this.collectionAt(`${tenant}/${collection}`)].map(([id, quote]) => ({ id, quote }));
    this.documentsRead += Math.max(1, found.length);
    return found;
  }

  private open<S extends HeartbeatSubscription | QuotesSubscription>(
    set: Set<S>,
    subscription: S,
    answer: () => void,
  ): Unsubscribe {
    set.add(subscription);
    queueMicrotask(() => {
      if (!subscription.isOpen) {
        return;
      }
      if (this.refusal === null) {
        answer();
        return;
      }
      subscription.isOpen = false;
      set.delete(subscription);
      subscription.listener(errorOf(this.refusal));
    });
    return () => {
      subscription.isOpen = false;
      set.delete(subscription);
    };
  }

  private answerHeartbeat(subscription: HeartbeatSubscription): void {
    this.documentsRead += 1;
    const heartbeat = this.heartbeats.get(subscription.path) ?? null;
    subscription.listener({ kind: "data", heartbeat, documentsRead: 1, fromCache: false });
  }

  private answerQuotes(subscription: QuotesSubscription): void {
    const documents = this.collectionAt(subscription.path);
    const changed: QuoteDocument[] = [];
    for (const id of subscription.ids) {
      const quote = documents.get(id);
      if (quote !== undefined) {
        changed.push({ id, quote });
      }
    }
    const documentsRead = Math.max(1, changed.length);
    this.documentsRead += documentsRead;
    subscription.listener({ kind: "data", changed, removed: [], documentsRead, fromCache: false });
  }

  private deliver(path: string, changed: readonly QuoteDocument[], removed: readonly string[]): void {
    for (const each of [...this.quoteListeners]) {
      if (each.path !== path) {
        continue;
      }
      const named = changed.filter(({ id }) => each.ids.has(id));
      const gone = removed.filter((id) => each.ids.has(id));
      if (named.length + gone.length > 0) {
        this.documentsRead += named.length;
        each.listener({ kind: "data", changed: named, removed: gone, documentsRead: named.length, fromCache: false });
      }
    }
  }

  private collectionAt(path: string): Map<string, Quote> {
    let documents = this.quotes.get(path);
    if (documents === undefined) {
      documents = new Map();
      this.quotes.set(path, documents);
    }
    return documents;
  }
}
