import { memo } from "react";
import { decimalsOf, formatDuration, formatPrice, shownPrice } from "../../src/lib/format";
import { looksOf, rowStateOf } from "../../src/lib/looks";
import type { Quote } from "../../src/lib/types";
import { useQuote } from "../../src/lib/useLiveQuotes";
import type { Feed } from "../model/feed";
import { Sparkline } from "./sparkline";

interface QuoteRowProps {
  feed: Feed;
  id: string;
  index: number;
  selected: boolean;
  /** The time of the last second, so that the age advances. */
  now: number;
  onOpen: (id: string) => void;
}

/** One symbol: its newest quote, its age, and whether it can be relied on. */
export const QuoteRow = memo(function QuoteRow({ feed, id, index, selected, now, onOpen }: QuoteRowProps) {
  const { quote, verdict } = useQuote(feed.live, id);
  if (!quote) {
    return null;
  }
  const looks = looksOf(rowStateOf(verdict));
  const price = shownPrice(quote);
  const decimals = decimalsOf(price ?? quote.bid ?? quote.ask);
  const classes = [selected && "selected", verdict.usable || "not-live"].filter(Boolean).join(" ");
  return (
    <tr className={classes} aria-rowindex={index + 2} aria-selected={selected} data-symbol={quote.symbol}>
      <td className="left symbol">
        <button type="button" tabIndex={selected || index === 0 ? 0 : -1} onClick={() => onOpen(id)}>
          {quote.symbol}
        </button>
      </td>
      <td className="wide">{formatPrice(quote.bid, decimals)}</td>
      <td className="wide">{formatPrice(quote.ask, decimals)}</td>
      <td className="price">
        <span key={price} className="changed">
          {formatPrice(price, decimals)}
        </span>
      </td>
      <td className="wide">{formatPrice(spreadOf(quote), decimals)}</td>
      <td>{formatAge(ageOf(quote, feed, now))}</td>
      <td className={`left state-cell ${looks.tone}`} title={`${verdict.message} ${verdict.remedy}`}>
        <span className="glyph" aria-hidden="true">
          {looks.glyph}
        </span>
        {looks.word.toLowerCase()}
      </td>
      <td className="wide chart">
        <RowChart feed={feed} id={id} now={now} />
      </td>
    </tr>
  );
});

/** The chart changes once a second at most, so it is not drawn again with each quote. */
const RowChart = memo(function RowChart({ feed, id, now }: { feed: Feed; id: string; now: number }) {
  return <Sparkline className="spark" samples={feed.symbols.historyOf(id).read(now)} width={200} height={20} />;
});

/** Return ask minus bid; null unless both are known. */
export function spreadOf({ bid, ask }: Quote): number | null {
  return bid === null || ask === null ? null : ask - bid;
}

/** Return the age of a quote's event in milliseconds, corrected for this computer's clock; null if it is unknown. */
export function ageOf(quote: Quote, feed: Feed, now: number): number | null {
  return quote.ts === null ? null : now - feed.state.skewSeconds * 1000 - quote.ts;
}

/** Return an age in words; a dash if it is unknown. */
export function formatAge(milliseconds: number | null): string {
  return milliseconds === null ? "–" : formatDuration(milliseconds);
}
