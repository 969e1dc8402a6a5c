import { Listeners } from "../../src/lib/clock";
import {
  MAX_IDS_PER_LISTENER,
  type Quote,
  type QuoteLister,
  type QuoteSource,
  type QuotesEvent,
  type SourceError,
} from "../../src/lib/types";
import type { FeedConfig } from "../config";
import { PriceHistory } from "./price-history";
import type { ReadMeter } from "./read-meter";
import { type RowContext, verdictOf } from "./rows";
import type { PageClock } from "./timers";

// Milliseconds between two lists while documents are missing; each delay is twice the one before.
const FIRST_LIST_DELAY = 2000;
const LAST_LIST_DELAY = 600_000;

interface OpenListener {
  ids: Set<string>;
  close: () => void;
}

/** The quotes of one feed. It listens only to the documents that are on screen. */
export class QuoteBoard {
  /** Reports that the set of symbols or a quote's status changed, or that a list arrived or failed. */
  readonly changes = new Listeners();
  readonly quotes = new Map<string, Quote>();
  listed = false;
  /** True once rows were on screen. */
  hasShown = false;
  error: SourceError | null = null;
  private readonly histories = new Map<string, PriceHistory>();
  private readonly rowChanges = new Map<string, Listeners>();
  private readonly changed = new Set<string>();
  private statusChanged = false;
  private listeners: OpenListener[] = [];
  private visible: string[] = [];
  private desired = -1;
  private nextListAt = 0;
  private listDelay = FIRST_LIST_DELAY;
  private source: (QuoteSource & QuoteLister) | null = null;

  constructor(
    readonly feed: FeedConfig,
    private readonly clock: PageClock,
    private readonly meter: ReadMeter,
  ) {}

  /** List the symbols if that is due, and listen to those on screen. The job has `desired` symbols. */
  start(source: QuoteSource & QuoteLister, desired: number): void {
    this.source = source;
    this.listen();
    if (desired !== this.desired) {
      this.desired = desired;
      this.listDelay = FIRST_LIST_DELAY;
      this.nextListAt = 0;
    }
    const now = this.clock.now();
    if (now >= this.nextListAt && (!this.listed || this.quotes.size < desired)) {
      // A symbol has no document before its first quote, which may be long after the start.
      this.nextListAt = now + this.listDelay;
      this.listDelay = Math.min(this.listDelay * 2, LAST_LIST_DELAY);
      void this.list();
    }
  }

  /** Close all listeners. What was received stays. */
  stop(): void {
    this.source = null;
    for (const each of this.listeners) {
      this.closeListener(each);
    }
    this.listeners = [];
  }

  /** Read which symbols exist. Each document costs one read. */
  private async list(): Promise<void> {
    const source = this.source as QuoteLister;
    try {
      const found = await source.listQuotes(this.feed.tenant, this.feed.collection);
      this.meter.countReads(this.clock.now(), Math.max(1, found.length));
      const ids = new Set(found.map((each) => each.id));
      for (const id of [...this.quotes.keys()].filter((known) => !ids.has(known))) {
        this.quotes.delete(id);
      }
      for (const { id, quote } of found) {
        this.put(id, quote);
      }
      this.error = null;
      this.listed = true;
    } catch (error) {
      this.error = error as SourceError;
    }
    this.changes.notify();
  }

  /** Listen to these documents and no others. */
  show(ids: string[]): void {
    this.hasShown = true;
    this.visible = ids;
    this.listen();
  }

  /** Call `action` after changes of one document, at most once a frame. */
  subscribeRow(id: string, action: () => void): () => void {
    let listeners = this.rowChanges.get(id);
    if (!listeners) {
      listeners = new Listeners();
      this.rowChanges.set(id, listeners);
    }
    return listeners.subscribe(action);
  }

  /** Return the last 10 minutes of a symbol. */
  historyOf(id: string): PriceHistory {
    let history = this.histories.get(id);
    if (!history) {
      history = new PriceHistory();
      this.histories.set(id, history);
    }
    return history;
  }

  /** Record the prices of the documents that are listened to: a price where the quote is live, otherwise a gap. */
  recordPrices(context: RowContext): void {
    for (const { ids } of this.listeners) {
      for (const id of ids) {
        const quote = this.quotes.get(id);
        const live = quote !== undefined && verdictOf(quote, context).live;
        this.historyOf(id).record(context.now, live ? quote.price : null);
      }
    }
  }

  private flush(): void {
    const ids = [...this.changed];
    this.changed.clear();
    for (const id of ids) {
      this.rowChanges.get(id)?.notify();
    }
    if (this.statusChanged) {
      this.statusChanged = false;
      this.changes.notify();
    }
  }

  private listen(): void {
    if (!this.source) {
      return;
    }
    const wanted = new Set(this.visible);
    this.closeUnneeded(wanted);
    const covered = new Set(this.listeners.flatMap((each) => [...each.ids]));
    const missing = this.visible.filter((id) => !covered.has(id));
    for (let from = 0; from < missing.length; from += MAX_IDS_PER_LISTENER) {
      this.open(this.source, missing.slice(from, from + MAX_IDS_PER_LISTENER));
    }
  }

  /** Keep a listener while most of its documents are on screen: to open it again would read each of them again. */
  private closeUnneeded(wanted: Set<string>): void {
    const isNeeded = ({ ids }: OpenListener) => [...ids].filter((id) => wanted.has(id)).length * 2 >= ids.size;
    const kept = this.listeners.filter(isNeeded);
    for (const each of this.listeners.filter((listener) => !kept.includes(listener))) {
      this.closeListener(each);
    }
    this.listeners = kept;
  }

  private open(source: QuoteSource, ids: string[]): void {
    this.meter.listeners += 1;
    const { tenant, collection } = this.feed;
    const listener: OpenListener = { ids: new Set(ids), close: () => undefined };
    this.listeners.push(listener);
    listener.close = source.subscribeQuotes(tenant, collection, ids, (event) => this.take(listener, event));
  }

  private closeListener(listener: OpenListener): void {
    listener.close();
    this.meter.listeners -= 1;
  }

  private take(listener: OpenListener, event: QuotesEvent): void {
    if (event.kind === "error") {
      this.fail(listener, event);
      return;
    }
    this.meter.countReads(this.clock.now(), event.documentsRead);
    for (const { id, quote } of event.changed) {
      this.put(id, quote);
    }
    for (const id of event.removed) {
      this.put(id, null);
    }
  }

  private fail(listener: OpenListener, error: SourceError): void {
    if (error.ended) {
      this.listeners = this.listeners.filter((each) => each !== listener);
      this.closeListener(listener);
    }
    this.error = error;
    this.changes.notify();
  }

  private put(id: string, quote: Quote | null): void {
    this.statusChanged ||= this.quotes.get(id)?.status !== quote?.status;
    if (quote === null) {
      this.quotes.delete(id);
    } else {
      this.quotes.set(id, quote);
    }
    if (this.changed.size === 0) {
      this.clock.beforeFrame(() => this.flush());
    }
    this.changed.add(id);
  }
}
