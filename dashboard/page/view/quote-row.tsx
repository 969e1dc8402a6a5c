import { memo } from "react";
import type { Quote } from "../../src/lib/types";
import { looksOf } from "../model/badge";
import type { PageStore } from "../model/page-store";
import { verdictOf } from "../model/rows";
import { decimalsOf, formatAge, formatNumber } from "../text/format";
import { useQuote } from "./hooks";
import { Sparkline } from "./sparkline";

interface QuoteRowProps {
  store: PageStore;
  id: string;
  index: number;
  selected: boolean;
  /** Changes each second, so that the age advances. */
  second: number;
  onOpen: (id: string) => void;
}

/** One symbol: its newest quote, its age, and whether it can be relied on. */
export const QuoteRow = memo(function QuoteRow({ store, id, index, selected, second, onOpen }: QuoteRowProps) {
  const quote = useQuote(store.board, id);
  if (!quote) {
    return null;
  }
  const verdict = verdictOf(quote, store.rowContext());
  const looks = looksOf(verdict.reason);
  const decimals = decimalsOf(quote.price ?? quote.bid ?? quote.ask);
  const classes = [selected && "selected", verdict.live || "not-live"].filter(Boolean).join(" ");
  return (
    <tr className={classes} aria-rowindex={index + 2} aria-selected={selected} data-symbol={quote.symbol}>
      <td className="left symbol">
        <button type="button" tabIndex={selected || index === 0 ? 0 : -1} onClick={() => onOpen(id)}>
          {quote.symbol}
        </button>
      </td>
      <td className="wide">{formatNumber(quote.bid, decimals)}</td>
      <td className="wide">{formatNumber(quote.ask, decimals)}</td>
      <td className="price">
        <span key={quote.price} className="changed">
          {formatNumber(quote.price, decimals)}
        </span>
      </td>
      <td className="wide">{formatNumber(spreadOf(quote), decimals)}</td>
      <td>{formatAge(ageOf(quote, store))}</td>
      <td className={`left state-cell ${looks.tone}`} title={`${verdict.message} ${verdict.remedy}`}>
        <span className="glyph" aria-hidden="true">
          {looks.glyph}
        </span>
        {looks.label.toLowerCase()}
      </td>
      <td className="wide chart">
        <RowChart store={store} id={id} second={second} />
      </td>
    </tr>
  );
});

/** The chart changes each 4 s at most, so it is not drawn again with each quote. */
const RowChart = memo(function RowChart({ store, id }: { store: PageStore; id: string; second: number }) {
  const samples = store.board.historyOf(id).read(store.clock.now());
  return <Sparkline className="spark" samples={samples} width={200} height={20} />;
});

/** Return ask minus bid; null unless both are known. */
export function spreadOf({ bid, ask }: Quote): number | null {
  return bid === null || ask === null ? null : ask - bid;
}

/** Return the age of a quote's event in milliseconds, corrected for this computer's clock; null if it is unknown. */
export function ageOf(quote: Quote, store: PageStore): number | null {
  return quote.ts === null ? null : store.clock.now() - store.selected.skew - quote.ts;
}
