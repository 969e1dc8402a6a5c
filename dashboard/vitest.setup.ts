import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, expect, vi } from "vitest";

/** Each test fails if React warns: it reports a wrong hook or an update outside act() on the console. */
const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  for (const method of ["error", "warn"] as const) {
    vi.spyOn(console, method).mockImplementation((...values) => {
      warnings.push(values.join(" "));
    });
  }
});

afterEach(() => {
  cleanup();
  expect(warnings).toEqual([]);
});
