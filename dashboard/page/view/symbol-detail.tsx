import { looksOf } from "../model/badge";
import type { PageStore } from "../model/page-store";
import { verdictOf } from "../model/rows";
import { decimalsOf, formatAge, formatNumber, formatTimeNear, type Zone } from "../text/format";
import { useQuote } from "./hooks";
import { ageOf, spreadOf } from "./quote-row";
import { Sparkline } from "./sparkline";

const BASES = { trade: "last trade", mid: "mid" };

interface SymbolDetailProps {
  store: PageStore;
  id: string;
  zone: Zone;
  onClose: () => void;
}

/** All that the page knows about one symbol. */
export function SymbolDetail({ store, id, zone, onClose }: SymbolDetailProps) {
  const quote = useQuote(store.board, id);
  if (!quote) {
    return null;
  }
  const verdict = verdictOf(quote, store.rowContext());
  const { glyph, label, tone } = looksOf(verdict.reason);
  const now = store.clock.now();
  const decimals = decimalsOf(quote.price ?? quote.bid ?? quote.ask);
  const time = (at: number | null) => (at === null ? "–" : formatTimeNear(at, now - store.selected.skew, zone));
  const basis = quote.priceBasis ? BASES[quote.priceBasis] : "";
  const facts: [string, string][] = [
    ["Price", `${formatNumber(quote.price, decimals)} ${basis}`.trim()],
    ["Bid", `${formatNumber(quote.bid, decimals)} × ${formatNumber(quote.bidSize, 0)}`],
    ["Ask", `${formatNumber(quote.ask, decimals)} × ${formatNumber(quote.askSize, 0)}`],
    ["Spread", formatNumber(spreadOf(quote), decimals)],
    ["Age", formatAge(ageOf(quote, store))],
    ["Event", time(quote.ts)],
    ["Written", time(quote.writtenAt)],
    ["Source", quote.source ?? "–"],
    ["Sequence", formatNumber(quote.seq, 0)],
    ["Document", `tenants/${store.board.feed.tenant}/${store.board.feed.collection}/${id}`],
  ];
  return (
    <aside className={`detail ${tone}`} aria-label={`Symbol ${quote.symbol}`}>
      <header>
        <h2>{quote.symbol}</h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      <p className="verdict">
        <span aria-hidden="true">{glyph} </span>
        <strong>{label}</strong> {verdict.message} {verdict.remedy}
      </p>
      <p className="caption">Price, last 10 minutes</p>
      <Sparkline className="chart-large" samples={store.board.historyOf(id).read(now)} width={300} height={96} />
      <dl>
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </aside>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
