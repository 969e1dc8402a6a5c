import { act, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock, FakeSource, sampleHeartbeat, sampleQuote } from "../testing/fakeSource";
import { setHidden, settle } from "../testing/page";
import { type LiveQuotes, type LiveQuotesOptions, useLiveQuotes, useQuote } from "./useLiveQuotes";

let clock: FakeClock;
let source: FakeSource;
let renders: Record<string, number>;

beforeEach(() => {
  clock = new FakeClock();
  source = new FakeSource();
  renders = {};
  source.putHeartbeat(sampleHeartbeat(clock.now()));
});

afterEach(() => setHidden(false));

function countRender(name: string): void {
  renders[name] = (renders[name] ?? 0) + 1;
}

function Row({ live, symbol }: { live: LiveQuotes; symbol: string }) {
  countRender(symbol);
  const { quote, verdict } = useQuote(live, symbol);
  return (
    <li>
      {symbol} {quote?.price ?? "none"} {verdict.reason}
    </li>
  );
}

function List(options: Partial<LiveQuotesOptions>) {
  countRender("list");
  const symbols = options.symbols ?? ["SPY", "AAPL"];
  const live = useLiveQuotes(source, { tenant: "acme", symbols, clock, ...options });
  return (
    <>
      <p>{`${live.badge.word}: ${live.badge.message}`}</p>
      <ul>
        {symbols.map((symbol) => (
          <Row key={symbol} live={live} symbol={symbol} />
        ))}
      </ul>
    </>
  );
}

async function show(element = <List />): Promise<ReturnType<typeof render>> {
  const view = render(element);
  await act(settle);
  return view;
}

function rows(): (string | null)[] {
  return screen.getAllByRole("listitem").map((each) => each.textContent);
}

test("it shows the badge, and each quote with its verdict", async () => {
  source.putQuote(sampleQuote("SPY", clock.now(), { price: 5 }));
  await show();
  expect(screen.getByText("LIVE: Quotes are live.")).toBeTruthy();
  expect(rows()).toEqual(["SPY 5 live", "AAPL none never_heard_of"]);
});

describe("renders", () => {
  test("a tick renders one row, and not the list", async () => {
    source.putQuotes([sampleQuote("SPY", clock.now()), sampleQuote("AAPL", clock.now())]);
    await show();
    const before = { ...renders };
    act(() => source.putQuote(sampleQuote("SPY", clock.now(), { price: 7 })));
    expect(rows()[0]).toBe("SPY 7 live");
    expect(renders).toEqual({ ...before, SPY: (before.SPY ?? 0) + 1 });
    act(() => source.putQuote(sampleQuote("AAPL", clock.now(), { price: 8 })));
    expect(rows()[1]).toBe("AAPL 8 live");
    expect(renders.list).toBe(before.list);
  });

  test("a second without a change renders nothing", async () => {
    source.putQuotes([sampleQuote("SPY", clock.now()), sampleQuote("AAPL", clock.now())]);
    await show();
    const before = { ...renders };
    act(() => clock.advance(5000));
    expect(renders).toEqual(before);
  });

  test("one timer serves all rows, and it ends with the last of them", async () => {
    const view = await show();
    expect(clock.timerCount).toBe(1);
    view.unmount();
    expect(clock.timerCount).toBe(0);
  });
});

describe("time", () => {
  test("the badge and the verdicts become stale by themselves", async () => {
    source.putQuotes([sampleQuote("SPY", clock.now())]);
    await show();
    act(() => clock.advance(30_000));
    expect(screen.getByText(/^LIVE/)).toBeTruthy();
    act(() => clock.advance(1000));
    expect(screen.getByText(/^STALE/)).toBeTruthy();
    expect(rows()[0]).toContain("stale");
  });

  test("heartbeatStaleAfterSeconds decides when, and can change", async () => {
    const view = await show(<List heartbeatStaleAfterSeconds={60} />);
    act(() => clock.advance(31_000));
    expect(screen.getByText(/^LIVE/)).toBeTruthy();
    view.rerender(<List heartbeatStaleAfterSeconds={10} />);
    expect(screen.getByText(/^STALE/)).toBeTruthy();
  });
});

describe("listeners", () => {
  test("under StrictMode one listener of each kind is open, and none after unmount", async () => {
    const view = await show(
      <StrictMode>
        <List />
      </StrictMode>,
    );
    expect(source.openListeners).toBe(2);
    expect(screen.getByText(/^LIVE/)).toBeTruthy();
    view.unmount();
    expect(source.openListeners).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  test("a new array with the same symbols changes nothing; other symbols change the listener", async () => {
    const view = await show(<List symbols={["SPY", "AAPL"]} />);
    const readBefore = source.documentsRead;
    view.rerender(<List symbols={["SPY", "AAPL"]} />);
    await act(settle);
    expect(source.documentsRead).toBe(readBefore);
    view.rerender(<List symbols={["MSFT"]} />);
    await act(settle);
    expect(source.listenedIDs).toEqual([["MSFT"]]);
  });

  test("another tenant gets its own heartbeat and none of the former quotes", async () => {
    source.putQuote(sampleQuote("SPY", clock.now(), { price: 5 }));
    const view = await show();
    view.rerender(<List tenant="beta" />);
    await act(settle);
    expect(screen.getByText(/^OFFLINE/)).toBeTruthy();
    expect(rows()[0]).toBe("SPY none never_heard_of");
    expect(source.openListeners).toBe(2);
  });

  test("a hidden page reads nothing; when it is visible again, reading resumes without a false STALE", async () => {
    await show();
    act(() => setHidden(true));
    expect(source.openListeners).toBe(0);
    clock.advance(600_000);
    act(() => setHidden(false));
    expect(screen.getByText("CONNECTING: Reading resumes.")).toBeTruthy();
    source.putHeartbeat(sampleHeartbeat(clock.now()));
    await act(settle);
    expect(screen.getByText(/^LIVE/)).toBeTruthy();
  });
});

describe("what goes wrong", () => {
  test("a reader without membership sees OFFLINE, and its rows are not signed in", async () => {
    source.fail("permission-denied");
    await show();
    expect(screen.getByText(/^OFFLINE: Firestore does not let this account read/)).toBeTruthy();
    expect(rows()[0]).toContain("not_signed_in");
  });

  test.each<[Partial<LiveQuotesOptions>, RegExp]>([
    [{ tenant: "" }, /The option tenant is ""/],
    [{ collection: "a/b" }, /The option collection is "a\/b"/],
    [{ symbols: ["SPY", ""] }, /The option symbols contains ""/],
    [{ heartbeatStaleAfterSeconds: 0 }, /heartbeatStaleAfterSeconds is 0; it must be more than 0/],
  ])("the options %j are reported in a sentence, and nothing is read", async (options, sentence) => {
    await show(<List {...options} />);
    expect(screen.getByText(sentence)).toBeTruthy();
    expect(source.documentsRead).toBe(0);
  });
});
