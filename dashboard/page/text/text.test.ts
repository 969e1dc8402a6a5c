import { describe, expect, test } from "vitest";
import { sampleHeartbeat, sampleQuote } from "../../src/testing/samples";
import { ConfigError, parseConfig } from "../config";
import { feedOfLink, formatLink, parseLink } from "../links";
import { commandsFor } from "./commands";
import { freshnessText, namesText } from "./counts";
import { csvOf } from "./csv";
import { formatSkew, formatTime } from "./format";

const NOW = Date.UTC(2026, 2, 2, 15, 0, 0);

describe("commands", () => {
  test("a running job is paused by the first command", () => {
    const [pause] = commandsFor(sampleHeartbeat(NOW));
    expect(pause?.line).toBe(
      `kubectl patch ij/us-equities -n acme --type merge --field-manager=sluice -p '{"spec":{"enabled":false}}'`,
    );
  });

  test("a job that its document pauses is resumed by the first command", () => {
    const paused = { status: "paused", ingestEnabled: false, ingestEnabledSource: "spec.enabled" };
    expect(commandsFor(sampleHeartbeat(NOW, paused))[0]?.line).toContain('{"spec":{"enabled":true,"pause":null}}');
  });

  test.each([
    ["pause:us-equities-x7k2p", "kubectl get ipause/us-equities-x7k2p -n acme"],
    ["clusterpause:sip-incident", "kubectl get cipause/sip-incident"],
    [
      "cr:acme/us-equities",
      `kubectl patch ij/us-equities -n acme --type merge --field-manager=sluice -p '{"spec":{"enabled":true,"pause":null}}'`,
    ],
  ])("the first command is about the switch %s", (ingestEnabledSource, line) => {
    const paused = { status: "paused", ingestEnabled: false, ingestEnabledSource };
    expect(commandsFor(sampleHeartbeat(NOW, paused))[0]?.line).toBe(line);
  });

  test.each(["api", "quota", "autoStop", "file:/etc/switch", "pause:a; rm -rf ~", "clusterpause:$(id)"])(
    "no command is about the switch %j",
    (ingestEnabledSource) => {
      const paused = { status: "paused", ingestEnabled: false, ingestEnabledSource };
      expect(commandsFor(sampleHeartbeat(NOW, paused))[0]?.label).toBe("Show the job");
    },
  );

  test.each(["acme/a; rm -rf ~", "acme/$(id)", "acme", "", "acme/A'b"])(
    "no command contains the job name %j",
    (job) => {
      expect(commandsFor(sampleHeartbeat(NOW, { job }))).toEqual([]);
    },
  );
});

test("CSV quotes text, leaves unknown values empty, and does not let a spreadsheet run a symbol as a formula", () => {
  const quotes = new Map([["A", sampleQuote("=A,1", NOW, { bid: null })]]);
  const verdict = { live: true, usable: true, reason: "live" as const, message: "The quote is live.", remedy: "" };
  const [, line] = csvOf([{ id: "A", symbol: "=A,1", verdict, state: "live" }], quotes).split("\r\n");
  expect(line).toBe(
    `"'=A,1",,100.02,100.01,,2026-03-02T15:00:00.000Z,2026-03-02T15:00:00.000Z,live,The quote is live.`,
  );
});

test("times and skews", () => {
  expect(formatTime(NOW, "UTC")).toBe("15:00:00");
  expect(formatTime(NOW, "exchange")).toBe("10:00:00");
  expect([60, -7.4].map(formatSkew)).toEqual(["+60 s", "−7 s"]);
});

test("the heartbeat's counts use the words of the table, where a quiet symbol is live", () => {
  const freshness = { live: 20, quiet: 4, stale: 1, closed: 0, halted: 0, paused: 0, unheard: 2 };
  expect(freshnessText(sampleHeartbeat(NOW, { freshness }))).toBe(
    "At the last heartbeat: 24 live (4 quiet) · 1 stale · 2 unheard",
  );
  expect(freshnessText(sampleHeartbeat(NOW, { freshness: null }))).toBe("");
});

test("at most five names are shown, and how many more there are", () => {
  expect(namesText([])).toBeNull();
  expect(namesText(["A", "B"])).toBe("A, B");
  expect(namesText(["A", "B", "C", "D", "E", "F"], 40)).toBe("A, B, C, D, E and 35 more");
});

describe("configuration and links", () => {
  test("a feed has the documents' default names and the tenant of the page", () => {
    const { feeds, heartbeatStaleAfterSeconds } = parseConfig({ projectId: "p", apiKey: "k", tenant: "acme" });
    expect(feeds).toEqual([{ tenant: "acme", document: "market_ingest", collection: "live_quotes" }]);
    expect(heartbeatStaleAfterSeconds).toBe(30);
  });

  test.each([
    [[], "not a JSON object"],
    [{ apiKey: "k", tenant: "acme" }, "no field projectId"],
    [{ projectId: "p", tenant: "acme" }, "neither apiKey"],
    [{ projectId: "p", apiKey: "k" }, "no field tenant"],
    [{ projectId: 3, apiKey: "k" }, "projectId of config.json must be a text"],
    [{ projectId: "p", apiKey: "k", tenant: "a", feeds: [] }, "at least one object"],
    [{ projectId: "p", apiKey: "k", tenant: "a", heartbeatStaleAfterSeconds: 0 }, "a number above 0"],
  ])("%j is refused with a sentence", (value, sentence) => {
    expect(() => parseConfig(value)).toThrow(ConfigError);
    expect(() => parseConfig(value)).toThrow(sentence);
  });

  test("a link selects its feed and symbol again", () => {
    const feeds = ["market_ingest", "crypto"].map((document) => ({
      tenant: "acme",
      document,
      collection: "live_quotes",
    }));
    const [, crypto] = feeds;
    const link = parseLink(crypto ? formatLink(crypto, "BTC-USD") : "");
    expect([feedOfLink(link, feeds), link.symbol]).toEqual([crypto, "BTC-USD"]);
    expect(feedOfLink(parseLink("?tenant=other"), feeds)).toBeNull();
  });
});
