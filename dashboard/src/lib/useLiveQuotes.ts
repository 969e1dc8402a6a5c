import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { areBadgesEqual, type Badge, badgeOf } from "./badge";
import { browserClock, type Clock, tickerOf } from "./clock";
import type { FeedState } from "./feedState";
import { verdictOf } from "./feedVerdict";
import { findOptionError } from "./optionErrors";
import { LiveQuotesStore } from "./store";
import type { Quote, QuoteSource, Verdict } from "./types";

export interface LiveQuotesOptions {
  tenant: string;
  /** The heartbeat document below `ops`. */
  document?: string;
  collection?: string;
  /** The symbols to listen to, such as `SPY` and `BTC/USD`. Each change of one of them is a read that Firestore bills. */
  symbols: readonly string[];
  /** A heartbeat older than this is stale. */
  heartbeatStaleAfterSeconds?: number;
  /** Do not listen while the page is hidden. */
  stopWhenHidden?: boolean;
  clock?: Clock;
}

/** One feed, for `useQuote` and for components of your own. The object is replaced when the feed or its badge changes. */
export interface LiveQuotes {
  badge: Badge;
  feed: FeedState;
  store: LiveQuotesStore;
  heartbeatStaleAfterSeconds: number;
  clock: Clock;
}

/** What a row needs of its feed. */
export type LiveQuotesOfRow = Pick<LiveQuotes, "store" | "clock" | "heartbeatStaleAfterSeconds">;

/** The quote of one symbol. `quote` is null if it has no document, undefined while that is unknown. */
export interface LiveQuote {
  quote: Quote | null | undefined;
  verdict: Verdict;
}

/**
 * Listen to a feed while the component is mounted.
 *
 * The component renders when the badge or the heartbeat changes, and not when a quote does: read quotes with `useQuote`
 * in the component of one row.
 */
export function useLiveQuotes(source: QuoteSource, options: LiveQuotesOptions): LiveQuotes {
  const { tenant, document = "market_ingest", collection = "live_quotes", symbols } = options;
  const { heartbeatStaleAfterSeconds = 30, stopWhenHidden = true, clock = browserClock } = options;
  const mistake = findOptionError({ tenant, document, collection, symbols, heartbeatStaleAfterSeconds });
  const store = useMemo(
    () => new LiveQuotesStore(source, { tenant, document, collection, stopWhenHidden, clock }),
    [source, tenant, document, collection, stopWhenHidden, clock],
  );
  // A caller can pass a new array with each render: its content decides.
  const symbolsKey = JSON.stringify(symbols);
  useEffect(() => {
    if (mistake === null) {
      store.setSymbols(JSON.parse(symbolsKey));
      return store.start();
    }
  }, [store, symbolsKey, mistake]);

  const ticker = tickerOf(clock);
  const subscribe = useCallback(
    (action: () => void) => joined(store.subscribe(action), ticker.subscribe(action)),
    [store, ticker],
  );
  const last = useRef<LiveQuotes | null>(null);
  const snapshot = () => {
    const feed = store.feed();
    const shown = mistake === null ? feed : { ...feed, signedIn: true, error: mistake };
    const badge = badgeOf(shown, ticker.now(), heartbeatStaleAfterSeconds);
    const known = last.current;
    const isSame = known?.store === store && known.feed === feed && areBadgesEqual(known.badge, badge);
    if (!isSame || known.heartbeatStaleAfterSeconds !== heartbeatStaleAfterSeconds) {
      last.current = { badge, feed, store, heartbeatStaleAfterSeconds, clock };
    }
    return last.current as LiveQuotes;
  };
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/** Return the quote of one symbol and the verdict on it. The component renders when one of them changes. */
export function useQuote(live: LiveQuotesOfRow, symbol: string): LiveQuote {
  const { store, clock, heartbeatStaleAfterSeconds } = live;
  const ticker = tickerOf(clock);
  const subscribe = useCallback(
    (action: () => void) =>
      joined(store.subscribeQuote(symbol, action), store.subscribe(action), ticker.subscribe(action)),
    [store, symbol, ticker],
  );
  const last = useRef<LiveQuote | null>(null);
  const snapshot = () => {
    const quote = store.quote(symbol);
    const verdict = verdictOf(quote ?? null, store.feed(), ticker.now(), heartbeatStaleAfterSeconds);
    const known = last.current;
    if (known === null || known.quote !== quote || !areVerdictsEqual(known.verdict, verdict)) {
      last.current = { quote, verdict };
    }
    return last.current as LiveQuote;
  };
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

/** Return a value that depends on the time, such as an age in words. The component renders when the value changes. */
export function useTimed<Value extends string | number | boolean>(clock: Clock, value: (now: number) => Value): Value {
  const ticker = tickerOf(clock);
  const snapshot = () => value(ticker.now());
  return useSyncExternalStore(ticker.subscribe, snapshot, snapshot);
}

function areVerdictsEqual(one: Verdict, other: Verdict): boolean {
  return one.reason === other.reason && one.usable === other.usable && one.message === other.message;
}

function joined(...unsubscribers: (() => void)[]): () => void {
  return () => {
    for (const unsubscribe of unsubscribers) {
      unsubscribe();
    }
  };
}
