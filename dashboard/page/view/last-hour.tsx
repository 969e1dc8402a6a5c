import { formatDuration } from "../../src/lib/format";
import { looksOf } from "../../src/lib/looks";
import type { Gap } from "../../src/lib/types";
import type { Feed } from "../model/feed";
import { COLUMN_MILLISECONDS, COLUMNS, type Run } from "../model/freshness-strip";
import { freshnessText } from "../text/counts";
import { formatTime, type Zone } from "../text/format";

const HOUR = COLUMNS * COLUMN_MILLISECONDS;
const HEIGHT = 20;
const LOWEST = 5;
const PLANNED = new Set(["pause", "restart"]);
const TICKS = 5;

/** The last 60 minutes of a feed: how fresh it was, and its gaps, on one axis. */
export function LastHour({ feed, now, zone }: { feed: Feed; now: number; zone: Zone }) {
  const gaps = (feed.state.heartbeat?.gaps ?? []).filter((gap) => (gap.to ?? now) > now - HOUR);
  const runs = feed.strip.runs(now);
  const ticks = Array.from({ length: TICKS }, (_, index) => now - HOUR + (index * HOUR) / (TICKS - 1));
  return (
    <section className="hour" aria-label="Last 60 minutes">
      <div className="hour-head">
        <h2 className="caption">Last 60 minutes</h2>
        <span className="shares">{freshnessText(feed.state.heartbeat)}</span>
      </div>
      <svg
        viewBox={`0 0 ${COLUMNS} ${HEIGHT + 9}`}
        preserveAspectRatio="none"
        height={HEIGHT + 9}
        role="img"
        aria-label={describeHour(runs, gaps, zone)}
      >
        <defs>
          <pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <line className="hatch-line" x1="0" y1="0" x2="0" y2="4" strokeWidth="2.5" />
          </pattern>
        </defs>
        <rect className="ground" width={COLUMNS} height={HEIGHT} />
        {runs.map((run) => (
          <RunBar key={run.start} run={run} />
        ))}
        <line className="axis" x1="0" x2={COLUMNS} y1={HEIGHT + 5.5} y2={HEIGHT + 5.5} />
        {gaps.map((gap) => (
          <GapBar key={`${gap.from} ${gap.cause}`} gap={gap} now={now} />
        ))}
      </svg>
      <div className="ticks" aria-hidden="true">
        {ticks.map((at, index) => (
          <span key={at}>{index === TICKS - 1 ? "now" : formatTime(at, zone, false)}</span>
        ))}
      </div>
      <GapList gaps={gaps} now={now} zone={zone} />
    </section>
  );
}

/** A run's height is the share of fresh symbols; a run that is not live is also hatched, for those who see no color. */
function RunBar({ run }: { run: Run }) {
  const { tone } = looksOf(run.state);
  const height = run.state === "live" ? LOWEST + (HEIGHT - LOWEST) * run.share : HEIGHT;
  const box = { x: run.start, y: HEIGHT - height, width: run.end - run.start, height };
  return (
    <g className={tone}>
      <rect className="run" {...box} />
      {run.state !== "live" && <rect fill="url(#hatch)" {...box} />}
    </g>
  );
}

function GapBar({ gap, now }: { gap: Gap; now: number }) {
  const column = (at: number) => Math.max(0, ((at - now) / HOUR + 1) * COLUMNS);
  const from = column(gap.from);
  const width = Math.max(1, column(gap.to ?? now) - from);
  return (
    <rect className={PLANNED.has(gap.cause) ? "gap planned" : "gap"} x={from} y={HEIGHT + 3} width={width} height={5} />
  );
}

function GapList({ gaps, now, zone }: { gaps: Gap[]; now: number; zone: Zone }) {
  if (gaps.length === 0) {
    return <p className="gap-list">No gaps in the last 60 minutes.</p>;
  }
  return (
    <ul className="gap-list" aria-label="Gaps">
      {[...gaps].reverse().map((gap) => (
        <li key={`${gap.from} ${gap.cause}`}>
          {gapText(gap, zone)} ({formatDuration((gap.to ?? now) - gap.from)})
        </li>
      ))}
    </ul>
  );
}

function gapText(gap: Gap, zone: Zone): string {
  return `${formatTime(gap.from, zone)}–${gap.to === null ? "now" : formatTime(gap.to, zone)} ${gap.cause}`;
}

function describeHour(runs: Run[], gaps: Gap[], zone: Zone): string {
  const seconds = new Map<string, number>();
  for (const { state, start, end } of runs) {
    const { word } = looksOf(state);
    seconds.set(word, (seconds.get(word) ?? 0) + (end - start) * COLUMN_MILLISECONDS);
  }
  const states = [...seconds].map(([word, time]) => `${word} for ${formatDuration(time)}`).join(", ");
  const gapTexts = gaps.map((gap) => gapText(gap, zone)).join(", ");
  return `Since this page was opened: ${states || "nothing yet"}. Gaps: ${gapTexts || "none"}.`;
}
