// @vitest-environment node
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle } from "../../scripts/size.js";

const INDEX = fileURLToPath(new URL("../../src/index.ts", import.meta.url));

test("a bundle of isLive alone has neither React nor Firebase", async () => {
  const code = await bundle("{ isLive }", INDEX);
  expect(code).toContain("heartbeat");
  expect(code).not.toMatch(/\bimport\b|react|onSnapshot/);
});

test("a bundle of the hook has React and not Firebase", async () => {
  const code = await bundle("{ useLiveQuotes, useQuote }", INDEX);
  expect(code).toMatch(/from"react"/);
  expect(code).not.toMatch(/from"firebase/);
});

test("the whole library adds at most 15 kB to React and Firebase", async () => {
  expect(gzipSync(await bundle("*", INDEX)).length).toBeLessThan(15_000);
});
