import { Timestamp } from "firebase/firestore";
import { describe, expect, it } from "vitest";
import { parseHeartbeat, parseQuote, parseTime } from "./parse";

const NOON = Date.UTC(2026, 2, 2, 12);

describe("a time", () => {
  it.each([
    [Timestamp.fromMillis(NOON + 5), NOON + 5],
    [{ seconds: NOON / 1000, nanoseconds: 5_999_999 }, NOON + 5],
    [new Date(NOON), NOON],
    ["2026-03-02T12:00:00Z", NOON],
    ["2026-03-02T07:00:00-05:00", NOON],
    ["2026-03-02T12:00:00.123456789Z", NOON + 123],
    ["2026-03-02T12:00:00", null],
    ["2026-02-30T12:00:00Z", null],
    ["2026-03-02", null],
    [new Date(Number.NaN), null],
    [NOON, null],
    [null, null],
  ])("of %s is %s", (value, expected) => {
    expect(parseTime(value)).toBe(expected);
  });
});

it("reads a quote's names, or those of older writers", () => {
  const present = parseQuote({ symbol: "BTC/USD", bid: 1, ask: 2, price: 1.5, ts: new Date(NOON), price_basis: "mid" });
  const older = parseQuote(
    { bid_price: 1, ask_price: 2, last_trade_price: 1.5, last_update_ts: new Date(NOON) },
    "SPY",
  );
  expect(present).toMatchObject({ symbol: "BTC/USD", bid: 1, ask: 2, price: 1.5, ts: NOON, priceBasis: "mid" });
  expect(older).toMatchObject({ symbol: "SPY", bid: 1, ask: 2, price: 1.5, ts: NOON, status: "live" });
  expect(older).not.toHaveProperty("priceBasis");
  expect(parseQuote({ price_basis: null })?.priceBasis).toBeNull();
});

it("reads the newer fields of a heartbeat", () => {
  const heartbeat = parseHeartbeat({
    symbols: { desired: 3, confirmed: "x" },
    freshness: { live: 2, unheard: 1 },
    gaps: [{ from: new Date(NOON), to: null, cause: "disconnect" }, { cause: "no time" }, "x"],
    failure: { type: "auth", message: "m" },
    stale: ["A", 5],
  });
  expect(heartbeat).toMatchObject({
    symbols: { desired: 3, confirmed: 0, pending: 0, paused: 0, rejected: 0 },
    freshness: { live: 2, quiet: 0, unheard: 1 },
    gaps: [{ from: NOON, to: null, cause: "disconnect" }],
    failure: { type: "auth", message: "m", remedy: "", at: null },
    stale: ["A"],
    market: "unknown",
  });
});

it("reads nothing from what is not an object", () => {
  for (const document of [null, undefined, 5, "x", []]) {
    expect([parseQuote(document), parseHeartbeat(document)]).toEqual([null, null]);
  }
});
