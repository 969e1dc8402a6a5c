import { useEffect, useState, useSyncExternalStore } from "react";
import type { Quote } from "../../src/lib/types";
import type { PageStore } from "../model/page-store";
import type { QuoteBoard } from "../model/quote-board";
import { ZONES, type Zone } from "../text/format";

/** Render again each second and after each change of the page's state. */
export function usePage(store: PageStore): void {
  useSyncExternalStore(store.changes.subscribe, () => store.version);
}

/** Return the newest quote of a document, and render again when it changes. */
export function useQuote(board: QuoteBoard, id: string): Quote | undefined {
  return useSyncExternalStore(
    (action) => board.subscribeRow(id, action),
    () => board.quotes.get(id),
  );
}

const ZONE_KEY = "sluice.zone";

/** Return the zone in which times are shown, which this browser remembers, and a function to change it. */
export function useZone(): [Zone, (zone: Zone) => void] {
  const [zone, setZone] = useState<Zone>(
    () => ZONES.find((each) => each === localStorage.getItem(ZONE_KEY)) ?? "exchange",
  );
  useEffect(() => localStorage.setItem(ZONE_KEY, zone), [zone]);
  return [zone, setZone];
}
