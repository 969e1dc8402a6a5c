import { expect, test } from "vitest";
import { decimalsOf, formatCountdown, formatDuration, formatInstant, formatPrice, shownPrice } from "./format";

test.each([
  [-5, "0 s"],
  [999, "0 s"],
  [14_000, "14 s"],
  [125_000, "2 m 5 s"],
  [120_000, "2 m"],
  [8_040_000, "2 h 14 m"],
  [3_605_000, "1 h"],
  [100 * 3_600_000, "4 d 4 h"],
])("%d ms are %s", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test("an instant is in UTC, and one that is not a date is in words", () => {
  expect(formatInstant(Date.UTC(2026, 2, 2, 14, 31, 5))).toBe("2026-03-02 14:31:05 UTC");
  expect(formatInstant(Number.NaN)).toBe("an unknown time");
});

test("a price has as many decimals as it needs", () => {
  expect(formatPrice(null)).toBe("–");
  expect(formatPrice(601.2)).toBe("601.20");
  expect(formatPrice(64_123.4567)).toBe("64,123.46");
  expect(formatPrice(0.000123)).toBe("0.0001230");
  expect(formatPrice(0.1, 2)).toBe("0.10");
  expect([1234.5, 0.00012, 5.1234, 5.12, 0, null].map(decimalsOf)).toEqual([2, 7, 4, 2, 2, 2]);
});

test("a price of which the writer says that it is none is not shown", () => {
  expect(shownPrice({ price: 5, priceBasis: null })).toBeNull();
  expect(shownPrice({ price: 5, priceBasis: "mid" })).toBe(5);
  expect(shownPrice({ price: 5 })).toBe(5);
});

test("a countdown is rounded up, so that it reaches 0 s at the end", () => {
  expect([1, 1000, 0, -5, 60_001].map(formatCountdown)).toEqual(["1 s", "1 s", "0 s", "0 s", "1 m 1 s"]);
});
