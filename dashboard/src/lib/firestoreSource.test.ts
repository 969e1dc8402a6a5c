import type { Auth } from "firebase/auth";
import { type Firestore, getDocsFromServer, onSnapshot } from "firebase/firestore";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { settle } from "../testing/page";
import { firestoreSource } from "./firestoreSource";
import type { HeartbeatEvent, QuotesEvent } from "./types";

vi.mock("firebase/firestore", () => ({
  collection: (_: unknown, ...path: string[]) => path.join("/"),
  doc: (_: unknown, ...path: string[]) => path.join("/"),
  documentId: () => "__name__",
  getDocsFromServer: vi.fn(),
  onSnapshot: vi.fn(),
  query: (path: string, filter: unknown) => ({ path, filter }),
  where: (...parts: unknown[]) => parts,
}));

const FIRESTORE = {} as Firestore;
const unsubscribe = vi.fn();
let target: unknown;
let deliver: (snapshot: unknown) => void;
let fail: (error: unknown) => void;

beforeEach(() => {
  vi.mocked(onSnapshot).mockImplementation(((...values: unknown[]) => {
    [target, , deliver, fail] = values as [unknown, unknown, typeof deliver, typeof fail];
    return unsubscribe;
  }) as typeof onSnapshot);
});

function document(fields: object | null, fromCache = false) {
  return { exists: () => fields !== null, data: () => fields, metadata: { fromCache } };
}

type Change = [type: "added" | "modified" | "removed", id: string, fields?: object];

function documents(changes: Change[], fromCache = false) {
  const docChanges = () => changes.map(([type, id, fields]) => ({ type, doc: { id, data: () => fields } }));
  return { docChanges, metadata: { fromCache } };
}

describe("a heartbeat", () => {
  let events: HeartbeatEvent[];

  beforeEach(() => {
    events = [];
    firestoreSource(FIRESTORE).subscribeHeartbeat("acme", "market_ingest", (event) => events.push(event));
  });

  test("is read from the tenant's document, and counts as one read", () => {
    deliver(document({ status: "running" }));
    expect(target).toBe("tenants/acme/ops/market_ingest");
    expect(events).toMatchObject([{ kind: "data", heartbeat: { status: "running" }, documentsRead: 1 }]);
  });

  test("that does not exist is null", () => {
    deliver(document(null));
    expect(events).toMatchObject([{ kind: "data", heartbeat: null, documentsRead: 1 }]);
  });

  test("that is missing in the cache only means that there is no connection", () => {
    deliver(document(null, true));
    expect(events).toMatchObject([{ kind: "error", code: "offline", ended: false }]);
  });

  test("from the cache costs nothing, and does not mean that the connection is lost", () => {
    deliver(document({ status: "running" }, true));
    expect(events).toMatchObject([{ kind: "data", documentsRead: 0, fromCache: true }]);
  });

  test("from the cache after Firestore has answered means that the connection is lost", () => {
    deliver(document({ status: "running" }));
    deliver(document({ status: "running" }, true));
    deliver(document({ status: "running" }));
    expect(events.map((event) => (event.kind === "error" ? event.code : "data"))).toEqual(["data", "offline", "data"]);
  });

  test.each([
    ["permission-denied", "permission-denied"],
    ["firestore/permission-denied", "permission-denied"],
    ["unauthenticated", "unauthenticated"],
    ["unavailable", "unavailable"],
    ["resource-exhausted", "unavailable"],
    ["internal", "failed"],
  ])("that fails with %s ends with the error %s, in sentences", (thrown, code) => {
    fail(Object.assign(new Error("INTERNAL"), { code: thrown }));
    const [event] = events;
    expect(event).toMatchObject({ kind: "error", code, ended: true });
    expect(event?.kind === "error" && event.remedy).toMatch(/\.$/);
  });
});

describe("quotes", () => {
  let events: QuotesEvent[];

  beforeEach(() => {
    events = [];
  });

  function listen(ids: string[]) {
    return firestoreSource(FIRESTORE).subscribeQuotes("acme", "live_quotes", ids, (event) => events.push(event));
  }

  test("are read by their document IDs, and each change is a read", () => {
    expect(listen(["SPY", "BTC-USD"])).toBe(unsubscribe);
    expect(target).toEqual({ path: "tenants/acme/live_quotes", filter: ["__name__", "in", ["SPY", "BTC-USD"]] });
    const changes: Change[] = [
      ["added", "SPY", { symbol: "SPY", bid_price: 5 }],
      ["added", "BTC-USD", { symbol: "BTC/USD" }],
    ];
    deliver(documents(changes));
    deliver(documents([["removed", "SPY"]]));
    expect(events).toMatchObject([
      { changed: [{ id: "SPY", quote: { bid: 5 } }, { quote: { symbol: "BTC/USD" } }], removed: [], documentsRead: 2 },
      { changed: [], removed: ["SPY"], documentsRead: 0 },
    ]);
  });

  test("without a result cost one read, once", () => {
    listen(["SPY"]);
    deliver(documents([]));
    deliver(documents([]));
    expect(events).toMatchObject([{ documentsRead: 1 }, { documentsRead: 0 }]);
  });

  test("that arrive from the cache are marked and cost nothing; a removal is not a lost connection", () => {
    listen(["SPY"]);
    deliver(documents([["added", "SPY", {}]]));
    deliver(documents([["modified", "SPY", {}]], true));
    expect(events).toMatchObject([{ fromCache: false }, { fromCache: true, documentsRead: 0 }]);
  });

  test.each([[[]], [Array.from({ length: 31 }, String)]])("of no document or more than 30 are refused", (ids) => {
    expect(() => listen(ids)).toThrow(RangeError);
  });
});

describe("a list of quotes", () => {
  test("has each document", async () => {
    const found = { docs: [{ id: "SPY", data: () => ({ price: 1 }) }] };
    vi.mocked(getDocsFromServer).mockResolvedValue(found as never);
    const quotes = await firestoreSource(FIRESTORE).listQuotes("acme", "live_quotes");
    expect(quotes).toMatchObject([{ id: "SPY", quote: { symbol: "SPY", price: 1 } }]);
  });

  test("that is refused rejects with the error in sentences", async () => {
    vi.mocked(getDocsFromServer).mockRejectedValue({ code: "permission-denied" });
    const list = firestoreSource(FIRESTORE).listQuotes("acme", "live_quotes");
    await expect(list).rejects.toMatchObject({ code: "permission-denied", remedy: expect.any(String) });
  });
});

describe("the identity", () => {
  test("is that of Firebase Auth", () => {
    const onAuthStateChanged = vi.fn();
    const listener = vi.fn();
    firestoreSource(FIRESTORE, { onAuthStateChanged } as unknown as Auth).subscribeIdentity(listener);
    const [report] = onAuthStateChanged.mock.calls[0] as [(user: { uid: string } | null) => void];
    report(null);
    report({ uid: "u" });
    expect(listener.mock.calls).toEqual([[{ signedIn: false, userID: null }], [{ signedIn: true, userID: "u" }]]);
  });

  test("counts as signed in without Firebase Auth", async () => {
    const listener = vi.fn();
    firestoreSource(FIRESTORE).subscribeIdentity(listener);
    expect(listener).not.toHaveBeenCalled();
    await settle();
    expect(listener).toHaveBeenCalledWith({ signedIn: true, userID: null });
  });
});
