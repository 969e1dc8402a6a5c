import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sampleHeartbeat } from "../testing/samples";
import { SkewEstimate, skewWarning, writerClockWarning } from "./skew";

interface SkewCase {
  name: string;
  heartbeats: { ts: number; arrived: number; first?: boolean }[];
  skew: number;
}

// vitest runs in dashboard/.
const cases: SkewCase[] = JSON.parse(readFileSync("../clients/cases.json", "utf8")).skew_cases;

test.each(cases)("as in Python: $name", ({ heartbeats, skew }) => {
  const estimate = new SkewEstimate();
  for (const { ts, arrived, first } of heartbeats) {
    estimate.addHeartbeat(arrived * 1000, ts * 1000, first ?? false);
  }
  expect(estimate.seconds).toBe(skew);
});

test("a fallback stands in until a second heartbeat arrives, and never exceeds the bound of the first", () => {
  const skew = new SkewEstimate();
  expect(skew.secondsOr(60)).toBe(60);
  skew.addHeartbeat(30_000, 0, true);
  expect(skew.secondsOr(60)).toBe(30);
  skew.addHeartbeat(40_000, 20_000, false);
  expect(skew.secondsOr(60)).toBe(20);
});

test("a skew above 5 s is shown with what to do", () => {
  expect(skewWarning(5)).toBeNull();
  expect(skewWarning(40)?.message).toBe("This computer's clock is 40 s ahead of the writer's.");
  expect(skewWarning(-6.2)?.message).toBe("This computer's clock is 6 s behind the writer's.");
  expect(skewWarning(-6.2)?.remedy).toContain("Synchronize");
});

test("a writer's clock that is wrong by more than 2 s is shown with what to do", () => {
  expect(writerClockWarning(null)).toBeNull();
  expect(writerClockWarning(sampleHeartbeat(0, { clockSkewMs: -2000 }))).toBeNull();
  const warning = writerClockWarning(sampleHeartbeat(0, { clockSkewMs: -2300 }));
  expect(warning?.message).toBe("The writer's clock is 2.3 s behind the provider's.");
  expect(warning?.remedy).toContain("Synchronize the clock of the node");
});
