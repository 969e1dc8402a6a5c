import { type Clock, Listeners } from "./clock";
import {
  MAX_IDS_PER_LISTENER,
  type Quote,
  type QuoteDocument,
  type QuoteSource,
  type QuotesEvent,
  type SourceError,
  type Unsubscribe,
} from "./types";

/** One open listener for at most 30 documents. */
interface Group {
  readonly ids: readonly string[];
  close: Unsubscribe;
  error: SourceError | null;
}

interface Options {
  tenant: string;
  collection: string;
  clock: Clock;
  batch?: (flush: () => void) => void;
}

interface Reports {
  onRead(documents: number): void;
  onError(): void;
  onChange(documentIDs: readonly string[]): void;
}

const RETRY_MILLISECONDS = 10_000;

/** The quotes of the wanted documents, and the listeners that deliver them. */
export class QuoteListeners {
  private readonly quotes = new Map<string, Quote | null>();
  private readonly changes = new Map<string, Listeners>();
  private groups: Group[] = [];
  private wanted: readonly string[] = [];
  private listed: ReadonlySet<string> = new Set();
  private readonly changed = new Set<string>();
  private isStarted = false;

  constructor(
    private readonly source: QuoteSource,
    private readonly options: Options,
    private readonly reports: Reports,
  ) {}

  get openListeners(): number {
    return this.groups.filter(({ error }) => error?.ended !== true).length;
  }

  /** The first error of the listeners, or null. */
  get error(): SourceError | null {
    return this.groups.find(({ error }) => error !== null)?.error ?? null;
  }

  /** Return a quote; null if there is no such document, undefined while that is unknown. */
  quote(id: string): Quote | null | undefined {
    return this.quotes.get(id);
  }

  /** All quotes that are known, by document ID. */
  known(): ReadonlyMap<string, Quote | null> {
    return this.quotes;
  }

  /** Keep the quotes of a list of the collection, and forget those that are neither in it nor listened to. */
  setListed(documents: readonly QuoteDocument[]): void {
    this.listed = new Set(documents.map(({ id }) => id));
    const listenedTo = new Set(this.groups.flatMap(({ ids }) => ids));
    // A listener can have delivered a newer quote while the list was read.
    const changed = documents.filter(({ id }) => !listenedTo.has(id) || !this.quotes.has(id));
    for (const { id, quote } of changed) {
      this.quotes.set(id, quote);
    }
    this.notify([...changed.map(({ id }) => id), ...this.forgetUnneeded()]);
  }

  subscribe(id: string, action: () => void): Unsubscribe {
    let listeners = this.changes.get(id);
    if (listeners === undefined) {
      listeners = new Listeners();
      this.changes.set(id, listeners);
    }
    const { subscribe } = listeners;
    const unsubscribe = subscribe(action);
    return () => {
      unsubscribe();
      if (listeners.size === 0 && this.changes.get(id) === listeners) {
        this.changes.delete(id);
      }
    };
  }

  /** Listen to these documents and no others. */
  setDocumentIDs(ids: readonly string[]): void {
    this.wanted = ids;
    this.closeUnneeded(new Set(ids));
    if (this.isStarted) {
      this.openMissing();
    }
    this.forgetUnneeded();
    this.reports.onError();
  }

  start(): void {
    this.isStarted = true;
    this.openMissing();
  }

  /** Close all listeners. What was received stays. */
  stop(): void {
    this.isStarted = false;
    for (const group of this.groups.splice(0)) {
      group.close();
    }
    this.reports.onError();
  }

  /** Forget what was received. */
  clear(): void {
    const ids = [...this.quotes.keys()];
    this.quotes.clear();
    this.listed = new Set();
    this.notify(ids);
  }

  /** Forget the quotes that are neither wanted, listened to nor listed, and return their IDs. */
  private forgetUnneeded(): string[] {
    const kept = new Set([...this.wanted, ...this.listed, ...this.groups.flatMap(({ ids }) => ids)]);
    const forgotten = [...this.quotes.keys()].filter((id) => !kept.has(id));
    for (const id of forgotten) {
      this.quotes.delete(id);
    }
    return forgotten;
  }

  /** Keep a listener while at least half of its documents are wanted: to open it again reads each of them again. */
  private closeUnneeded(wanted: ReadonlySet<string>): void {
    const isNeeded = ({ ids }: Group) => ids.filter((id) => wanted.has(id)).length * 2 >= ids.length;
    const unneeded = this.groups.filter((group) => !isNeeded(group));
    this.groups = this.groups.filter(isNeeded);
    for (const group of unneeded) {
      group.close();
    }
  }

  private openMissing(): void {
    const covered = new Set(this.groups.flatMap(({ ids }) => ids));
    const missing = this.wanted.filter((id) => !covered.has(id));
    for (let first = 0; first < missing.length; first += MAX_IDS_PER_LISTENER) {
      const group: Group = { ids: missing.slice(first, first + MAX_IDS_PER_LISTENER), close: () => {}, error: null };
      this.groups.push(group);
      this.open(group);
    }
  }

  private open(group: Group): void {
    const { tenant, collection } = this.options;
    group.close = this.source.subscribeQuotes(tenant, collection, group.ids, (event) => this.onEvent(group, event));
  }

  private onEvent(group: Group, event: QuotesEvent): void {
    if (event.kind === "error") {
      group.error = event;
      if (event.ended) {
        this.retryLater(group);
      }
      this.reports.onError();
      return;
    }
    this.reports.onRead(event.documentsRead);
    const changed = new Set<string>(event.removed);
    for (const id of event.removed) {
      this.quotes.set(id, null);
    }
    for (const { id, quote } of event.changed) {
      this.quotes.set(id, quote);
      changed.add(id);
    }
    if (!event.fromCache) {
      this.markMissing(group, changed);
      if (group.error !== null) {
        group.error = null;
        this.reports.onError();
      }
    }
    this.notify(changed);
  }

  /** Firestore has answered: a document that it has not delivered does not exist. */
  private markMissing(group: Group, changed: Set<string>): void {
    for (const id of group.ids) {
      if (!this.quotes.has(id)) {
        this.quotes.set(id, null);
        changed.add(id);
      }
    }
  }

  private retryLater(group: Group): void {
    const cancel = this.options.clock.every(RETRY_MILLISECONDS, () => {
      cancel();
      this.open(group);
    });
    group.close = cancel;
  }

  private notify(ids: Iterable<string>): void {
    const isPending = this.changed.size > 0;
    for (const id of ids) {
      this.changed.add(id);
    }
    const { batch } = this.options;
    if (batch === undefined) {
      this.flush();
    } else if (!isPending && this.changed.size > 0) {
      batch(() => this.flush());
    }
  }

  private flush(): void {
    const changed = [...this.changed];
    this.changed.clear();
    for (const id of changed) {
      this.changes.get(id)?.notify();
    }
    if (changed.length > 0) {
      this.reports.onChange(changed);
    }
  }
}
