import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { PageStore } from "../model/page-store";
import type { Row } from "../model/rows";
import { QuoteRow } from "./quote-row";

/** Above this number of symbols, only the rows on screen are in the document. */
const VIRTUAL_ABOVE = 200;
const COLUMNS = 8;
const HEAD_HEIGHT = 26;

interface QuoteTableProps {
  store: PageStore;
  rows: Row[];
  selected: string | null;
  scroller: RefObject<HTMLElement | null>;
  onOpen: (id: string) => void;
}

/** The table of quotes. The page listens only to the rows on screen. */
export function QuoteTable({ store, rows, selected, scroller, onOpen }: QuoteTableProps) {
  const table = useRef<HTMLTableElement>(null);
  const [top, rowHeight] = useMeasures(table, scroller, rows.length > 0);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 0,
    scrollMargin: top,
    scrollPaddingStart: HEAD_HEIGHT,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer keeps the sizes of the old row height
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);
  const items = virtualizer.getVirtualItems();
  const range = { from: items[0]?.index ?? 0, to: (items.at(-1)?.index ?? -1) + 1 };
  useVisibleRows(store, rows, range, selected);
  useScrollToSelected(virtualizer, rows, selected);
  const drawn = rows.length > VIRTUAL_ABOVE ? range : { from: 0, to: rows.length };
  return (
    <table ref={table} aria-label="Quotes" aria-rowcount={rows.length + 1}>
      <Head />
      <tbody>
        <Filler rows={drawn.from} height={rowHeight} />
        {rows.slice(drawn.from, drawn.to).map((row, offset) => (
          <QuoteRow
            key={row.id}
            feed={store.selected}
            id={row.id}
            index={drawn.from + offset}
            selected={row.id === selected}
            now={store.now}
            onOpen={onOpen}
          />
        ))}
        <Filler rows={rows.length - drawn.to} height={rowHeight} />
      </tbody>
    </table>
  );
}

function Head() {
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th className="left symbol">Symbol</th>
        <th className="number wide">Bid</th>
        <th className="number wide">Ask</th>
        <th className="number">Price</th>
        <th className="number wide">Spread</th>
        <th className="age">Age</th>
        <th className="left state-head">State</th>
        <th className="left wide">Last 10 min</th>
      </tr>
    </thead>
  );
}

/** The space of rows that are not in the document. */
function Filler({ rows, height }: { rows: number; height: number }) {
  if (rows <= 0) {
    return null;
  }
  return (
    <tr>
      <td className="filler" colSpan={COLUMNS} style={{ height: rows * height }} />
    </tr>
  );
}

/** Return the distance from the top of the scrolled content to the first row, and the height of a row, in pixels. */
function useMeasures(
  table: RefObject<HTMLTableElement | null>,
  scroller: RefObject<HTMLElement | null>,
  hasRows: boolean,
): [number, number] {
  const [measures, setMeasures] = useState<[number, number]>([0, 28]);
  useLayoutEffect(() => {
    const measure = () => {
      if (!table.current || !scroller.current || !hasRows) {
        return;
      }
      const offset = table.current.getBoundingClientRect().top - scroller.current.getBoundingClientRect().top;
      const top = Math.round(offset + scroller.current.scrollTop) + HEAD_HEIGHT;
      const height = Number.parseFloat(getComputedStyle(table.current).getPropertyValue("--row")) || 28;
      setMeasures((known) => (known[0] === top && known[1] === height ? known : [top, height]));
    };
    measure();
    const observer = new ResizeObserver(measure);
    for (const element of [scroller.current, ...(scroller.current?.children ?? [])]) {
      if (element) {
        observer.observe(element);
      }
    }
    return () => observer.disconnect();
  }, [table, scroller, hasRows]);
  return measures;
}

/** Listen to the rows on screen and to the selected one. A short delay keeps a fast scroll from reading every row. */
function useVisibleRows(
  store: PageStore,
  rows: Row[],
  range: { from: number; to: number },
  selected: string | null,
): void {
  const visible = rows.slice(range.from, range.to).map((row) => row.id);
  const ids = selected === null || visible.includes(selected) ? visible : [...visible, selected];
  const key = ids.slice().sort().join(" ");
  const feed = store.selected;
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for ids
  useEffect(() => {
    const show = () => store.selected === feed && feed.symbols.show(ids);
    const timer = setTimeout(show, feed.symbols.hasShown ? 120 : 0);
    return () => clearTimeout(timer);
  }, [feed, key]);
}

function useScrollToSelected(
  virtualizer: ReturnType<typeof useVirtualizer<HTMLElement, Element>>,
  rows: Row[],
  selected: string | null,
): void {
  // The symbol of a link is shown beside the table, so the page starts at its top with the badge.
  const last = useRef(selected);
  useEffect(() => {
    if (selected === last.current) {
      return;
    }
    last.current = selected;
    const index = rows.findIndex((row) => row.id === selected);
    if (index >= 0) {
      virtualizer.scrollToIndex(index, { align: "auto" });
    }
  }, [virtualizer, rows, selected]);
}
