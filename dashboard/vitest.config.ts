import { defineConfig } from "vitest/config";

// One factor for all deadlines, as in tests/support/deadlines.py.
const slowness = Number(process.env.SLUICE_TEST_SLOWNESS || 1);

export default defineConfig({
  test: {
    testTimeout: 15_000 * slowness,
    hookTimeout: 30_000 * slowness,
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "page/**/*.test.{ts,tsx}", "tests/unit/**/*.test.{ts,tsx}"],
    setupFiles: ["./vitest.setup.ts"],
    restoreMocks: true,
  },
});
