import { decimalsOf, formatPrice, shownPrice } from "../../src/lib/format";
import { looksOf, rowStateOf } from "../../src/lib/looks";
import { useQuote } from "../../src/lib/useLiveQuotes";
import type { PageStore } from "../model/page-store";
import { formatTimeNear, type Zone } from "../text/format";
import { ageOf, formatAge, spreadOf } from "./quote-row";
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
  const feed = store.selected;
  const { quote, verdict } = useQuote(feed.live, id);
  if (!quote) {
    return null;
  }
  const { glyph, word, tone } = looksOf(rowStateOf(verdict));
  const { now } = store;
  const price = shownPrice(quote);
  const decimals = decimalsOf(price ?? quote.bid ?? quote.ask);
  const writerNow = now - feed.state.skewSeconds * 1000;
  const time = (at: number | null) => (at === null ? "–" : formatTimeNear(at, writerNow, zone));
  const basis = quote.priceBasis ? BASES[quote.priceBasis] : "";
  const facts: [string, string][] = [
    ["Price", `${formatPrice(price, decimals)} ${basis}`.trim()],
    ["Bid", `${formatPrice(quote.bid, decimals)} × ${formatPrice(quote.bidSize, 0)}`],
    ["Ask", `${formatPrice(quote.ask, decimals)} × ${formatPrice(quote.askSize, 0)}`],
    ["Spread", formatPrice(spreadOf(quote), decimals)],
    ["Age", formatAge(ageOf(quote, feed, now))],
    ["Event", time(quote.ts)],
    ["Written", time(quote.writtenAt)],
    ["Source", quote.source ?? "–"],
    ["Sequence", formatPrice(quote.seq, 0)],
    ["Document", `tenants/${feed.config.tenant}/${feed.config.collection}/${id}`],
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
        <strong>{word}</strong> {verdict.message} {verdict.remedy}
      </p>
      <p className="caption">Price, last 10 minutes</p>
      <Sparkline className="chart-large" samples={feed.symbols.historyOf(id).read(now)} width={300} height={96} />
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
