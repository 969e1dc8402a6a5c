import { type RefObject, useEffect, useRef, useState } from "react";
import type { Badge } from "../../src/lib/badge";
import { looksOf } from "../../src/lib/looks";
import { showInTab } from "../favicon";
import { formatLink } from "../links";
import type { PageStore } from "../model/page-store";
import { countQuotes, countStates, type Order, type Row, rowsOf } from "../model/rows";
import { csvOf } from "../text/csv";
import { BottomBar } from "./bottom-bar";
import { usePage, useZone } from "./hooks";
import { KeyHelp } from "./key-help";
import { useKeys } from "./keyboard";
import { LastHour } from "./last-hour";
import { Message, NoTable } from "./messages";
import { QuoteTable } from "./quote-table";
import { StatePanel } from "./state-panel";
import { SymbolDetail } from "./symbol-detail";
import { TopBar } from "./top-bar";

/** The page. */
export function App({ store, initialSymbol }: { store: PageStore; initialSymbol: string | null }) {
  usePage(store);
  const [zone, setZone] = useZone();
  const [order, setOrder] = useState<Order>("worst");
  const [search, setSearch] = useState("");
  const [selected, setSelected] = useState<string | null>(initialSymbol);
  const [isOpen, setOpen] = useState(initialSymbol !== null);
  const [help, setHelp] = useState(false);
  const scroller = useRef<HTMLElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const feed = store.selected;
  const badge = feed.badge(store.now);
  const quotes = feed.store.allQuotes();
  const context = store.rowContext();
  const rows = rowsOf(quotes, context, order, search);
  useTab(store, badge);
  useAddress(store, isOpen ? selected : null);
  const open = (id: string) => {
    setSelected(id);
    setOpen(true);
  };
  useKeys({
    search: () => searchField.current?.focus(),
    move: (step) => setSelected((id) => neighborOf(rows, id, step)),
    open: () => openSelected(rows, selected, open),
    sort: () => setOrder((known) => (known === "worst" ? "symbol" : "worst")),
    help: () => setHelp(true),
    escape: () => (isOpen ? setOpen(false) : leaveSearch(searchField.current, setSearch)),
  });
  const detail = isOpen && selected !== null && quotes.get(selected) ? selected : null;
  const total = countQuotes(quotes, context);
  const isRefused = feed.state.error?.code === "permission-denied" || feed.state.error?.code === "unauthenticated";
  const showsTable = total > 0 && feed.state.signedIn === true && !isRefused;
  return (
    <div className="page">
      <TopBar store={store} />
      <main className="scroll" ref={scroller}>
        <StatePanel store={store} badge={badge} zone={zone} />
        {feed.state.heartbeat && <LastHour feed={feed} now={store.now} zone={zone} />}
        {showsTable ? (
          <>
            <Tools {...{ store, rows, total, order, setOrder, search, setSearch, searchField }} />
            <div className={detail ? "body with-detail" : "body"}>
              {rows.length > 0 ? (
                <QuoteTable store={store} rows={rows} selected={selected} scroller={scroller} onOpen={open} />
              ) : (
                <Message title={`No symbol contains “${search}”`} />
              )}
              {detail && <SymbolDetail store={store} id={detail} zone={zone} onClose={() => setOpen(false)} />}
            </div>
          </>
        ) : (
          <NoTable store={store} />
        )}
      </main>
      <BottomBar store={store} zone={zone} onZone={setZone} onHelp={() => setHelp(true)} />
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

interface ToolsProps {
  store: PageStore;
  rows: Row[];
  total: number;
  order: Order;
  setOrder: (order: Order) => void;
  search: string;
  setSearch: (search: string) => void;
  searchField: RefObject<HTMLInputElement | null>;
}

/** Search, order and download of the table. */
function Tools({ store, rows, total, order, setOrder, search, setSearch, searchField }: ToolsProps) {
  const counts = countStates(rows).map(([state, count]) => `${count} ${looksOf(state).word.toLowerCase()}`);
  return (
    <div className="tools">
      <input
        ref={searchField}
        type="search"
        placeholder="Search symbols"
        aria-label="Search symbols"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <span className="counts">
        {rows.length === total ? "" : `${rows.length} of ${total}: `}
        {counts.join(" · ")}
      </span>
      <span className="spring" />
      <select aria-label="Order" value={order} onChange={(event) => setOrder(event.target.value as Order)}>
        <option value="worst">Worst first</option>
        <option value="symbol">By symbol</option>
      </select>
      <button type="button" onClick={() => downloadCSV(store, rows)}>
        CSV
      </button>
    </div>
  );
}

function downloadCSV(store: PageStore, rows: Row[]): void {
  const { tenant, document: name } = store.selected.config;
  const address = URL.createObjectURL(new Blob([csvOf(rows, store.selected.store.allQuotes())], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${tenant}-${name}-${new Date(store.now).toISOString().slice(0, 19).replaceAll(":", "")}Z.csv`;
  link.click();
  URL.revokeObjectURL(address);
}

/** Return the row below (1) or above (-1) the selected one; the first if none is selected. */
function neighborOf(rows: Row[], id: string | null, step: 1 | -1): string | null {
  const index = rows.findIndex((row) => row.id === id);
  const next = index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + step));
  return rows[next]?.id ?? null;
}

function openSelected(rows: Row[], selected: string | null, open: (id: string) => void): void {
  const row = rows.find((each) => each.id === selected) ?? rows[0];
  if (row) {
    open(row.id);
  }
}

function leaveSearch(field: HTMLInputElement | null, setSearch: (search: string) => void): void {
  setSearch("");
  field?.blur();
}

/** Keep the title and the icon of the tab equal to the badge. */
function useTab(store: PageStore, badge: Badge): void {
  const { state, config } = store.selected;
  const name = state.heartbeat?.job ?? `${config.tenant}/${config.document}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tab shows only these parts of the badge
  useEffect(() => showInTab(badge, name), [badge.word, badge.tone, name]);
}

/** Keep the address a link to what is on screen. */
function useAddress(store: PageStore, symbol: string | null): void {
  const link = formatLink(store.selected.config, symbol);
  useEffect(() => window.history.replaceState(null, "", link), [link]);
}
