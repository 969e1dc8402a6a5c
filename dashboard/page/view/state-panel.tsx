import { useState } from "react";
import type { Badge } from "../../src/lib/badge";
import { formatCountdown, formatDuration } from "../../src/lib/format";
import { type ClockWarning, skewWarning, writerClockWarning } from "../../src/lib/skew";
import type { PageStore } from "../model/page-store";
import { type Command, commandsFor } from "../text/commands";
import { namesText, symbolsText } from "../text/counts";
import { formatTime, formatTimeNear, type Zone } from "../text/format";

/** The state of the selected feed: its badge, the reason, what to do, and the facts behind it. */
export function StatePanel({ store, badge, zone }: { store: PageStore; badge: Badge; zone: Zone }) {
  const { state, asOf } = store.selected;
  return (
    <section className={`state ${badge.tone}`} aria-label="State of the feed">
      <div className="badge-line">
        <span className="badge">
          <span className="glyph" aria-hidden="true">
            {badge.glyph}
          </span>
          {badge.word}
        </span>
        <span className="reason">{badge.message}</span>
        <Countdown store={store} badge={badge} zone={zone} />
      </div>
      <p className="hidden-text" role="status">
        {`${badge.word}. ${badge.message} ${badge.remedy}`}
      </p>
      {badge.remedy && <p className="remedy">{badge.remedy}</p>}
      <ClockNote warning={skewWarning(state.skewSeconds)} />
      <ClockNote warning={writerClockWarning(state.heartbeat)} />
      {asOf !== null && <p className="as-of">As of {formatTimeNear(asOf, store.now, zone)}. Not current.</p>}
      <Commands commands={commandsFor(state.heartbeat)} urgent={badge.tone !== "good"} />
      <Facts store={store} zone={zone} />
    </section>
  );
}

function Countdown({ store, badge, zone }: { store: PageStore; badge: Badge; zone: Zone }) {
  if (badge.until === null) {
    return null;
  }
  const skew = store.selected.state.skewSeconds * 1000;
  const left = badge.until - store.now;
  const at = formatTimeNear(badge.until - skew, store.now - skew, zone);
  return (
    <span className="countdown">
      {left > 0 ? `${badge.untilVerb} in ${formatCountdown(left)}` : `${badge.untilVerb} now`} ({at})
    </span>
  );
}

function ClockNote({ warning }: { warning: ClockWarning | null }) {
  return (
    warning && (
      <p className="as-of" role="note">
        {warning.message} {warning.remedy}
      </p>
    )
  );
}

function Facts({ store, zone }: { store: PageStore; zone: Zone }) {
  const { heartbeat, skewSeconds } = store.selected.state;
  if (!heartbeat) {
    return null;
  }
  const now = store.now - skewSeconds * 1000;
  const changes = heartbeat.marketChangesAt;
  const market =
    heartbeat.market === "unknown" ? null : `${heartbeat.market}${marketEnd(heartbeat.market, changes, now)}`;
  const facts: [string, string | null][] = [
    ["Feed", heartbeat.feed],
    ["Market", market],
    ["Symbols", symbolsText(heartbeat.symbols)],
    ["Stale", namesText(heartbeat.stale, heartbeat.freshness?.stale)],
    ["Halted", namesText(heartbeat.halted, heartbeat.freshness?.halted)],
    ["No quote yet", namesText(heartbeat.unheard, heartbeat.freshness?.unheard)],
    ["Heartbeat", heartbeat.ts === null ? null : `${formatDuration(now - heartbeat.ts)} ago`],
    ["Last write", heartbeat.lastWriteAt === null ? null : formatTime(heartbeat.lastWriteAt, zone)],
    ["Running since", heartbeat.startedAt === null ? null : formatTimeNear(heartbeat.startedAt, now, zone)],
  ];
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <Fact key={name} name={name} value={value as string} />
        ))}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt className="caption">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function marketEnd(market: string, changesAt: number | null, now: number): string {
  if (changesAt === null || changesAt <= now) {
    return "";
  }
  return `, ${market === "open" ? "closes" : "opens"} in ${formatCountdown(changesAt - now)}`;
}

function Commands({ commands, urgent }: { commands: Command[]; urgent: boolean }) {
  if (commands.length === 0) {
    return null;
  }
  return (
    <details className="commands" open={urgent && !window.matchMedia("(max-width: 760px)").matches}>
      <summary>Commands (this page only reads)</summary>
      {commands.map((command) => (
        <CommandLine key={command.label} command={command} />
      ))}
    </details>
  );
}

function CommandLine({ command: { label, line } }: { command: Command }) {
  const [result, setResult] = useState("Copy");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      setResult("Copied");
    } catch {
      setResult("Select the text");
    }
    setTimeout(() => setResult("Copy"), 2000);
  };
  return (
    <div className="command">
      <span className="label">{label}</span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <code tabIndex={0}>{line}</code>
      <button type="button" aria-label={`${result}: ${label}`} onClick={() => void copy()}>
        {result}
      </button>
    </div>
  );
}
