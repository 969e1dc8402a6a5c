import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock, FakeSource, sampleHeartbeat, sampleQuote } from "../testing/fakeSource";
import { setHidden, settle } from "../testing/page";
import { LiveQuotesWidget } from "./LiveQuotesWidget";
import type { Heartbeat } from "./types";

let clock: FakeClock;
let source: FakeSource;

beforeEach(() => {
  clock = new FakeClock();
  source = new FakeSource();
});

afterEach(() => setHidden(false));

async function show(changes: Partial<Heartbeat> = {}, symbols = ["SPY", "AAPL"]) {
  source.putHeartbeat(sampleHeartbeat(clock.now(), changes));
  const view = render(<LiveQuotesWidget source={source} tenant="acme" symbols={symbols} clock={clock} />);
  await act(settle);
  return view;
}

function status(): string {
  return screen.getByRole("status").textContent ?? "";
}

function row(symbol: string): (string | null)[] {
  const found = screen.getByRole("rowheader", { name: symbol }).closest("tr");
  return [...(found?.querySelectorAll("td") ?? [])].map((each) => each.textContent);
}

/** Return how often the text of the badge changes while `action` runs: what a screen reader announces. */
async function countAnnouncements(action: () => void): Promise<number> {
  let announcements = 0;
  const observer = new MutationObserver((records) => {
    announcements += records.length;
  });
  observer.observe(screen.getByRole("status"), {
    attributes: true,
    characterData: true,
    childList: true,
    subtree: true,
  });
  act(action);
  await act(settle);
  announcements += observer.takeRecords().length;
  observer.disconnect();
  return announcements;
}

test("it shows the badge as glyph and word, and each quote with its state as glyph and word", async () => {
  source.putQuote(sampleQuote("SPY", clock.now() - 3000, { bid: 601.22, ask: 601.24, price: 601.23 }));
  await show();
  expect(status()).toMatch(/^● LIVE Quotes are live\./);
  expect(row("SPY")).toEqual(["601.22", "601.24", "601.23", "3 s", "● live"]);
  expect(row("AAPL")).toEqual(["–", "–", "–", "–", "○ unknown"]);
});

test("ages advance by themselves", async () => {
  source.putQuote(sampleQuote("SPY", clock.now()));
  await show();
  act(() => clock.advance(12_000));
  expect(row("SPY")[3]).toBe("12 s");
  expect(screen.getByText("heartbeat 12 s ago")).toBeTruthy();
});

test("a pause shows its reason, what to do and a countdown", async () => {
  const pauseUntil = clock.now() + 90_000;
  await show({ status: "paused", pauseReason: "vendor incident", pauseUntil });
  expect(status()).toMatch(/^‖ PAUSED .*vendor incident.*2026-03-02T15:01:30Z/);
  expect(screen.getByText("resumes in 1 m 30 s")).toBeTruthy();
  act(() => clock.advance(20_000));
  expect(screen.getByText("resumes in 1 m 10 s")).toBeTruthy();
});

test("a closed market shows when it opens", async () => {
  await show({ market: "closed", marketChangesAt: clock.now() + 3_600_000 });
  expect(status()).toMatch(/^◐ CLOSED/);
  expect(screen.getByText("opens in 1 h")).toBeTruthy();
  act(() => clock.advance(29_000));
  expect(screen.getByText("opens in 59 m 31 s")).toBeTruthy();
});

test("a change of the badge is announced; ticks, ages and countdowns are not", async () => {
  source.putQuote(sampleQuote("SPY", clock.now()));
  await show({ status: "paused", pauseUntil: clock.now() + 60_000 });
  const pauseUntil = clock.now() + 60_000;
  expect(await countAnnouncements(() => clock.advance(10_000))).toBe(0);
  expect(await countAnnouncements(() => source.putQuote(sampleQuote("SPY", clock.now(), { price: 9 })))).toBe(0);
  const again = sampleHeartbeat(clock.now(), { status: "paused", pauseUntil });
  expect(await countAnnouncements(() => source.putHeartbeat(again))).toBe(0);
  expect(await countAnnouncements(() => source.putHeartbeat(sampleHeartbeat(clock.now())))).toBeGreaterThan(0);
  expect(status()).toMatch(/^● LIVE/);
});

test("a clock that is 40 s ahead is reported, and ages are corrected for it", async () => {
  source.putHeartbeat(sampleHeartbeat(clock.now() - 40_000));
  source.putQuote(sampleQuote("SPY", clock.now() - 40_000));
  render(<LiveQuotesWidget source={source} tenant="acme" symbols={["SPY"]} clock={clock} />);
  await act(settle);
  act(() => clock.advance(15_000));
  act(() => source.putHeartbeat(sampleHeartbeat(clock.now() - 40_000)));
  expect(status()).toMatch(/^● LIVE/);
  expect(screen.getByText(/This computer's clock is 40 s ahead of the writer's/)).toBeTruthy();
  expect(row("SPY")[3]).toBe("15 s");
  expect(row("SPY")[4]).toBe("▲ not usable");
});

test("a wrong clock of the writer, an unheard symbol and a price that is none are shown as such", async () => {
  source.putQuote(sampleQuote("SPY", clock.now(), { price: 5, priceBasis: null }));
  source.putQuote(sampleQuote("AAPL", clock.now()));
  await show({ clockSkewMs: 2600, unheard: ["AAPL"] });
  expect(status()).toMatch(/^● LIVE/);
  expect(screen.getByText(/The writer's clock is 2.6 s ahead of the provider's\. Synchronize/)).toBeTruthy();
  expect([row("SPY")[2], row("SPY")[4]]).toEqual(["–", "▲ no price"]);
  expect(row("AAPL")[4]).toBe("▲ unheard");
});

test("after the page was hidden it shows what it knew as of when, until Firestore answers", async () => {
  await show();
  act(() => setHidden(true));
  clock.advance(600_000);
  act(() => setHidden(false));
  expect(status()).toMatch(/^… CONNECTING/);
  expect(screen.getByText("as of 2026-03-02 15:00:00 UTC")).toBeTruthy();
  await act(settle);
  expect(screen.queryByText(/as of/)).toBeNull();
});

test("a list without symbols says what to do", async () => {
  await show({}, []);
  expect(screen.getByText("No symbols: pass the symbols to show.")).toBeTruthy();
});
