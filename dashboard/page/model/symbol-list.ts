import { type Clock, Listeners } from "../../src/lib/clock";
import type { LiveQuotesStore } from "../../src/lib/store";
import type { Quote, QuoteDocument, SourceError } from "../../src/lib/types";
import { PriceHistory } from "./price-history";

// Milliseconds between two lists while documents are missing; each delay is twice the one before.
const FIRST_LIST_DELAY = 2000;
const LAST_LIST_DELAY = 600_000;

/** Which symbols of a feed have a document, which of them are on screen, and the prices of their last 10 minutes. */
export class SymbolList {
  /** Reports that a list arrived or failed, or that the status of a quote changed. */
  readonly changes = new Listeners();
  isListed = false;
  /** True once rows were on screen. */
  hasShown = false;
  error: SourceError | null = null;
  private readonly histories = new Map<string, PriceHistory>();
  private readonly statuses = new Map<string, string | undefined>();
  private visible: readonly string[] = [];
  private desired = -1;
  private nextListAt = 0;
  private listDelay = FIRST_LIST_DELAY;
  private resets = 0;

  constructor(
    private readonly store: LiveQuotesStore,
    private readonly clock: Clock,
    private readonly listQuotes: () => Promise<QuoteDocument[]>,
  ) {
    store.subscribeQuotes((ids) => this.onQuotes(ids));
  }

  /** Read which symbols exist, if that is due. The job has `desired` symbols. */
  listIfDue(desired: number): void {
    if (desired !== this.desired) {
      this.desired = desired;
      this.listAtOnce();
    }
    const now = this.clock.now();
    if (now >= this.nextListAt && (!this.isListed || this.countQuotes() < desired)) {
      // A symbol has no document before its first quote, which may be long after the start.
      this.nextListAt = now + this.listDelay;
      this.listDelay = Math.min(this.listDelay * 2, LAST_LIST_DELAY);
      void this.list();
    }
  }

  /** Listen to these documents and no others. */
  show(ids: readonly string[]): void {
    this.hasShown = true;
    this.visible = ids;
    this.store.setSymbols(ids);
  }

  /** Listen to no document. What was received stays; it is listed again when the feed is shown again. */
  hide(): void {
    this.show([]);
    this.hasShown = false;
    this.isListed = false;
    this.listAtOnce();
  }

  /** Forget what was received, as after signing out. */
  reset(): void {
    this.hide();
    this.resets += 1;
    this.error = null;
    this.histories.clear();
    this.statuses.clear();
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

  /** Record the prices of the symbols on screen: a price where `isLive` is true of the quote, otherwise a gap. */
  recordPrices(now: number, isLive: (quote: Quote) => boolean): void {
    for (const id of this.visible) {
      const quote = this.store.quote(id);
      this.historyOf(id).record(now, quote && isLive(quote) ? quote.price : null);
    }
  }

  private countQuotes(): number {
    return [...this.store.allQuotes().values()].filter((quote) => quote !== null).length;
  }

  private listAtOnce(): void {
    this.listDelay = FIRST_LIST_DELAY;
    this.nextListAt = 0;
  }

  /** Read the whole collection once. Each document costs one read. */
  private async list(): Promise<void> {
    const { resets } = this;
    let found: QuoteDocument[] = [];
    let error: SourceError | null = null;
    try {
      found = await this.listQuotes();
    } catch (thrown) {
      error = thrown as SourceError;
    }
    if (resets !== this.resets) {
      return;
    }
    this.error = error;
    if (error === null) {
      this.isListed = true;
      this.store.setListedQuotes(found);
    }
    this.changes.notify();
  }

  private onQuotes(ids: readonly string[]): void {
    let hasChanged = false;
    for (const id of ids) {
      const status = this.store.quote(id)?.status;
      hasChanged ||= this.statuses.get(id) !== status;
      this.statuses.set(id, status);
    }
    if (hasChanged) {
      this.changes.notify();
    }
  }
}
