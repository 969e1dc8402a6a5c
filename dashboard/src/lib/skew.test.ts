import { expect, test } from "vitest";
import { sampleHeartbeat } from "../testing/samples";
import { SkewEstimate, skewWarning, writerClockWarning } from "./skew";

test("the smallest difference of the last heartbeats is the skew", () => {
  const skew = new SkewEstimate();
  expect(skew.seconds).toBe(0);
  skew.addHeartbeat(50_000, 10_000, false);
  skew.addHeartbeat(65_900, 25_000, false);
  expect(skew.seconds).toBe(40);
});

test("the first heartbeat of a listener can be old, so it does not set the skew of a clock that is ahead", () => {
  const skew = new SkewEstimate();
  skew.addHeartbeat(600_000, 0, true);
  expect(skew.seconds).toBe(0);
});

test("a first heartbeat from the future shows that this clock is behind", () => {
  const skew = new SkewEstimate();
  skew.addHeartbeat(0, 20_000, true);
  expect(skew.seconds).toBe(-20);
});

test("a fallback stands in until a second heartbeat arrives, and never exceeds the bound of the first", () => {
  const skew = new SkewEstimate();
  expect(skew.secondsOr(60)).toBe(60);
  skew.addHeartbeat(30_000, 0, true);
  expect(skew.secondsOr(60)).toBe(30);
  skew.addHeartbeat(40_000, 20_000, false);
  expect(skew.secondsOr(60)).toBe(20);
});

test("a clock that is corrected is noticed within eight heartbeats", () => {
  const skew = new SkewEstimate();
  for (let arrival = 0; arrival < 9; arrival += 1) {
    skew.addHeartbeat(arrival, arrival, false);
  }
  for (let arrival = 0; arrival < 8; arrival += 1) {
    skew.addHeartbeat(arrival + 7000, arrival, false);
  }
  expect(skew.seconds).toBe(7);
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
