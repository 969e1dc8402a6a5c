import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseHeartbeat, parseQuote } from "./parse";
import { isLive } from "./verdict";
import { VERDICT_TEXTS } from "./verdictTexts";

type Fields = Record<string, unknown>;

interface Case {
  name: string;
  quote?: unknown;
  heartbeat?: unknown;
  now?: string;
  skew?: number;
  stale_after?: number;
  signed_in?: boolean;
  connected?: boolean;
  live: boolean;
  usable: boolean;
  reason: string;
  message: string;
}

interface Table {
  now: string;
  quote: Fields;
  heartbeat: Fields;
  cases: Case[];
}

// vitest runs in dashboard/.
const table: Table = JSON.parse(readFileSync("../clients/cases.json", "utf8"));

function document(each: Case, of: "quote" | "heartbeat"): unknown {
  const changes = each[of] === undefined ? {} : each[of];
  if (!isObject(changes)) {
    return changes;
  }
  const fields = "$only" in changes ? (changes.$only as Fields) : { ...table[of], ...changes };
  const kept = Object.entries(fields).filter(([, value]) => value !== "$absent");
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isObject(value) && "$number" in value ? Number(value.$number) : value]),
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function verdictOf(each: Case) {
  return isLive(
    parseQuote(document(each, "quote")),
    parseHeartbeat(document(each, "heartbeat")),
    Date.parse(each.now ?? table.now),
    {
      skewSeconds: each.skew,
      staleAfterSeconds: each.stale_after,
      signedIn: each.signed_in,
      connected: each.connected,
    },
  );
}

describe("the verdict is that of the table that Python passes, too", () => {
  it.each(table.cases)("$name", (each) => {
    const { live, usable, reason, message, remedy } = verdictOf(each);
    expect({ live, usable, reason, message }).toEqual({
      live: each.live,
      usable: each.usable,
      reason: each.reason,
      message: each.message,
    });
    expect(remedy !== "").toBe(!usable);
  });
});

it("uses the same sentences as Python", () => {
  expect(VERDICT_TEXTS).toEqual(JSON.parse(readFileSync("../clients/verdicts.json", "utf8")));
});

it("takes the remedy of a failure", () => {
  const each = table.cases.find(({ name }) => name === "a blocked job with its failure") as Case;
  expect(verdictOf(each).remedy).toBe("Replace the Secret beta/alpaca.");
});

const FOREIGN = [
  null,
  undefined,
  "",
  "x",
  "{symbol}",
  -1,
  Number.NaN,
  1e300,
  true,
  [],
  [{}],
  {},
  { a: [] },
  Symbol("s"),
];

it.each(["quote", "heartbeat"] as const)("throws for no value of any field of a %s", (of) => {
  const now = Date.parse(table.now);
  for (const field of Object.keys(table[of])) {
    for (const value of FOREIGN) {
      const changed = { quote: table.quote, heartbeat: table.heartbeat, [of]: { ...table[of], [field]: value } };
      isLive(parseQuote(changed.quote), parseHeartbeat(changed.heartbeat), now);
    }
  }
});
