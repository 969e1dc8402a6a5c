import { memo, useId } from "react";
import type { Badge } from "./badge";
import { decimalsOf, formatCountdown, formatDuration, formatInstant, formatPrice, shownPrice } from "./format";
import { type Looks, looksOf, rowStateOf } from "./looks";
import { type ClockWarning, skewWarning, writerClockWarning } from "./skew";
import type { QuoteSource } from "./types";
import { type LiveQuotes, type LiveQuotesOptions, useLiveQuotes, useQuote, useTimed } from "./useLiveQuotes";

export interface LiveQuotesWidgetProps extends LiveQuotesOptions {
  source: QuoteSource;
  /** The heading; the tenant if absent. */
  title?: string;
}

/** The badge of a feed and a table of its quotes. Import `sluice-dashboard/styles.css` for its looks. */
export function LiveQuotesWidget({ source, title, ...options }: LiveQuotesWidgetProps) {
  const live = useLiveQuotes(source, options);
  const headingID = useId();
  return (
    <section className="sluice-widget" aria-labelledby={headingID}>
      <header className="sluice-head">
        <h2 id={headingID} className="sluice-title">
          {title ?? options.tenant}
        </h2>
        <StatusBadge badge={live.badge} />
        <FeedFacts live={live} />
      </header>
      <QuoteTable live={live} symbols={options.symbols} />
    </section>
  );
}

/** The badge with its reason and what to do. A screen reader announces it when it changes. */
export const StatusBadge = memo(function StatusBadge({ badge }: { badge: Badge }) {
  return (
    <div role="status" className="sluice-status" data-state={badge.state} data-tone={badge.tone}>
      <strong className="sluice-badge">
        <span aria-hidden="true">{badge.glyph}</span> {badge.word}
      </strong>{" "}
      <span className="sluice-message">{badge.message}</span>{" "}
      {badge.remedy !== "" && <span className="sluice-remedy">{badge.remedy}</span>}
    </div>
  );
});

/** What changes with the time, and the state of the stream. It is outside of the badge, so it is not announced. */
export function FeedFacts({ live }: { live: LiveQuotes }) {
  const { heartbeat } = live.feed;
  return (
    <p className="sluice-facts">
      {live.badge.until !== null && <Countdown live={live} until={live.badge.until} />}
      {heartbeat !== null && <HeartbeatAge live={live} />}
      {heartbeat?.feed != null && <span>{heartbeat.feed}</span>}
      {heartbeat !== null && heartbeat.market !== "unknown" && <span>market {heartbeat.market}</span>}
      <Warning of={skewWarning(live.feed.skewSeconds)} />
      <Warning of={writerClockWarning(heartbeat)} />
    </p>
  );
}

function Warning({ of: warning }: { of: ClockWarning | null }) {
  return (
    warning && (
      <span className="sluice-warning">
        <span aria-hidden="true">▲</span> {warning.message} {warning.remedy}
      </span>
    )
  );
}

function HeartbeatAge({ live }: { live: LiveQuotes }) {
  const { heartbeat, asOf, hasAnswered, skewSeconds } = live.feed;
  const text = useTimed(live.clock, (now) => {
    if (!hasAnswered && asOf !== null) {
      return `as of ${formatInstant(asOf)}`;
    }
    const ts = heartbeat?.ts ?? null;
    return ts === null ? "heartbeat without a time" : `heartbeat ${formatDuration(now - skewSeconds * 1000 - ts)} ago`;
  });
  return <span>{text}</span>;
}

function Countdown({ live, until }: { live: LiveQuotes; until: number }) {
  const text = useTimed(live.clock, (now) => {
    const verb = live.badge.untilVerb;
    return now >= until ? `${verb} now` : `${verb} in ${formatCountdown(until - now)}`;
  });
  return <span className="sluice-countdown">{text}</span>;
}

/** One row for each symbol. A tick renders the row of its symbol and no other. */
export function QuoteTable({ live, symbols }: { live: LiveQuotes; symbols: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: on a narrow screen the keyboard must be able to scroll it.
    <div className="sluice-scroll" role="group" aria-label="Quotes" tabIndex={0}>
      <table className="sluice-table">
        <thead>
          <tr>
            <th scope="col">Symbol</th>
            <th scope="col">Bid</th>
            <th scope="col">Ask</th>
            <th scope="col">Price</th>
            <th scope="col">Age</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {[...new Set(symbols)].map((symbol) => (
            <QuoteRow key={symbol} live={live} symbol={symbol} />
          ))}
        </tbody>
        {symbols.length === 0 && <caption>No symbols: pass the symbols to show.</caption>}
      </table>
    </div>
  );
}

interface RowProps {
  live: LiveQuotes;
  symbol: string;
}

const QuoteRow = memo(
  function QuoteRow({ live, symbol }: RowProps) {
    const { quote, verdict } = useQuote(live, symbol);
    const isLoading = quote === undefined;
    const price = quote ? shownPrice(quote) : null;
    const decimals = decimalsOf(price ?? quote?.bid ?? quote?.ask ?? null);
    return (
      <tr data-reason={isLoading ? "loading" : verdict.reason} data-usable={!isLoading && verdict.usable}>
        <th scope="row">{symbol}</th>
        <td>{formatPrice(quote?.bid ?? null, decimals)}</td>
        <td>{formatPrice(quote?.ask ?? null, decimals)}</td>
        <td>{formatPrice(price, decimals)}</td>
        <td>
          <QuoteAge live={live} ts={quote?.ts ?? null} />
        </td>
        <td className="sluice-state" title={isLoading ? undefined : `${verdict.message} ${verdict.remedy}`.trim()}>
          {isLoading ? <StateWord glyph="…" word="LOADING" /> : <StateWord {...looksOf(rowStateOf(verdict))} />}
        </td>
      </tr>
    );
  },
  // The feed is replaced by each heartbeat; a row reads it from the store.
  (one, other) =>
    one.symbol === other.symbol &&
    one.live.store === other.live.store &&
    one.live.clock === other.live.clock &&
    one.live.heartbeatStaleAfterSeconds === other.live.heartbeatStaleAfterSeconds,
);

function StateWord({ glyph, word }: Pick<Looks, "glyph" | "word">) {
  return (
    <>
      <span aria-hidden="true">{glyph}</span> {word.toLowerCase()}
    </>
  );
}

function QuoteAge({ live, ts }: { live: LiveQuotes; ts: number | null }) {
  const text = useTimed(live.clock, (now) => {
    const writerNow = now - live.store.feed().skewSeconds * 1000;
    return ts === null ? "–" : formatDuration(writerNow - ts);
  });
  return <span>{text}</span>;
}
