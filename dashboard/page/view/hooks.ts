import { useEffect, useState, useSyncExternalStore } from "react";
import type { PageStore } from "../model/page-store";
import { ZONES, type Zone } from "../text/format";

/** Render again each second and after each change of the page's state. */
export function usePage(store: PageStore): void {
  useSyncExternalStore(store.changes.subscribe, () => store.version);
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
