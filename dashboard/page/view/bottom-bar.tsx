import { skewWarning } from "../../src/lib/skew";
import type { PageStore } from "../model/page-store";
import { formatSkew, ZONES, type Zone } from "../text/format";

interface BottomBarProps {
  store: PageStore;
  zone: Zone;
  onZone: (zone: Zone) => void;
  onHelp: () => void;
}

const ZONE_NAMES: Record<Zone, string> = { exchange: "Exchange (New York)", UTC: "UTC", local: "Local" };

/** What the page costs and how its times are shown. */
export function BottomBar({ store, zone, onZone, onHelp }: BottomBarProps) {
  const { meter, documentsRead, openListeners } = store;
  const { skewSeconds } = store.selected.state;
  const listeners = `${openListeners} ${openListeners === 1 ? "listener" : "listeners"}`;
  const skew = skewWarning(skewSeconds) ? `clock ${formatSkew(skewSeconds)}` : "clock ok";
  return (
    <footer className="bottom">
      <span className="reads">{meter.perSecond.toFixed(1)} reads/s</span>
      <span className="listeners">{listeners}</span>
      <span className="optional">{documentsRead.toLocaleString("en-US")} reads since opened</span>
      <span>{skew}</span>
      <span className="optional">stops reading while hidden</span>
      <span className="spring" />
      <label>
        Times{" "}
        <select value={zone} onChange={(event) => onZone(event.target.value as Zone)}>
          {ZONES.map((each) => (
            <option key={each} value={each}>
              {ZONE_NAMES[each]}
            </option>
          ))}
        </select>
      </label>
      <button type="button" className="keys-hint" onClick={onHelp}>
        Keys <kbd>?</kbd>
      </button>
    </footer>
  );
}
