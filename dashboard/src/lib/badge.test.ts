import { describe, expect, test } from "vitest";
import { sampleHeartbeat } from "../testing/samples";
import { areBadgesEqual, badgeOf } from "./badge";
import type { FeedState } from "./feedState";
import { errorOf } from "./sourceErrors";
import type { Heartbeat } from "./types";

const NOW = Date.UTC(2026, 2, 2, 15, 0, 0);

function feed(heartbeat: Heartbeat | null, changes: Partial<FeedState> = {}): FeedState {
  return {
    signedIn: true,
    userID: null,
    heartbeat,
    hasAnswered: true,
    error: null,
    asOf: NOW,
    skewSeconds: 0,
    isListening: true,
    ...changes,
  };
}

function badgeWith(changes: Partial<Heartbeat>, age = 3000) {
  return badgeOf(feed(sampleHeartbeat(NOW - age, changes)), NOW, 30);
}

describe("LIVE, STALE and OFFLINE", () => {
  test("a heartbeat of at most 30 s is LIVE, an older one is STALE", () => {
    expect(badgeWith({}, 30_000).word).toBe("LIVE");
    expect(badgeWith({}, 30_001).word).toBe("STALE");
    expect(badgeOf(feed(sampleHeartbeat(NOW - 9000)), NOW, 8).word).toBe("STALE");
  });

  test("LIVE names how many symbols are live", () => {
    const symbols = { desired: 30, confirmed: 29, pending: 0, paused: 0, rejected: 1 };
    expect(badgeWith({ symbols }).message).toBe("Quotes are live for 29 of 30 symbols.");
  });

  test("a pod that has not read its job yet is STARTING, and not PAUSED by something that nothing ends", () => {
    const unread = {
      ingestEnabled: false,
      ingestEnabledSource: "start",
      pauseReason: "the IngestJob has not been read",
    };
    for (const status of ["starting", "paused"]) {
      const badge = badgeWith({ ...unread, status });
      expect(badge.word).toBe("STARTING");
      expect(badge.remedy).toMatch(/^Wait a few seconds/);
    }
  });

  test.each([
    ["without a heartbeat document", feed(null)],
    ["without a sign-in", feed(null, { signedIn: false })],
    ["without a membership", feed(sampleHeartbeat(NOW), { error: errorOf("permission-denied") })],
    ["after the sign-in has expired", feed(sampleHeartbeat(NOW), { error: errorOf("unauthenticated") })],
    ["while Firestore is unavailable", feed(sampleHeartbeat(NOW), { error: errorOf("unavailable") })],
    ["without a network", feed(sampleHeartbeat(NOW), { error: errorOf("offline"), hasAnswered: false })],
  ])("%s it is OFFLINE and says what to do", (_, state) => {
    const badge = badgeOf(state, NOW, 30);
    expect(badge.word).toBe("OFFLINE");
    expect(badge.message).toMatch(/\.$/);
    expect(badge.remedy).toMatch(/\.$/);
  });

  test("before the first answer it is CONNECTING, and while reading resumes it is not STALE", () => {
    expect(badgeOf(feed(null, { hasAnswered: false, signedIn: null }), NOW, 30).word).toBe("CONNECTING");
    expect(badgeOf(feed(sampleHeartbeat(NOW - 600_000), { hasAnswered: false }), NOW, 30).message).toBe(
      "Reading resumes.",
    );
  });

  test("a clock that is 40 s ahead is not STALE once the skew is known", () => {
    const heartbeat = sampleHeartbeat(NOW - 43_000);
    expect(badgeOf(feed(heartbeat), NOW, 30).word).toBe("STALE");
    expect(badgeOf(feed(heartbeat, { skewSeconds: 40 }), NOW, 30).word).toBe("LIVE");
  });
});

describe("the states of the stream", () => {
  test.each<[string, Partial<Heartbeat>]>([
    ["PAUSED", { status: "paused", pauseReason: "vendor incident", pauseUntil: NOW + 60_000 }],
    ["PAUSED", { ingestEnabled: false }],
    ["CLOSED", { market: "closed", marketChangesAt: NOW + 3_600_000 }],
    ["DEGRADED", { status: "degraded" }],
    ["BLOCKED", { status: "blocked" }],
    ["DRY RUN", { dryRun: true }],
    ["STARTING", { status: "starting" }],
    ["STOPPED", { status: "stopped" }],
    ["STOPPED", { status: "finished" }],
    ["CLOCK", { clockSkewMs: 9000 }],
    ["DEGRADED", { status: "a later version's status" }],
  ])("it is %s for %j, with a glyph and what to do", (word, changes) => {
    const badge = badgeWith(changes);
    expect(badge.word).toBe(word);
    expect(badge.glyph).not.toBe("");
    expect(badge.remedy).toMatch(/\S/);
  });

  test("PAUSED has its reason, and its end by this computer's clock", () => {
    const heartbeat = sampleHeartbeat(NOW, {
      status: "paused",
      pauseReason: "vendor incident",
      pauseUntil: NOW + 1000,
    });
    const badge = badgeOf(feed(heartbeat, { skewSeconds: 2 }), NOW, 30);
    expect(badge.message).toContain("vendor incident");
    expect(badge).toMatchObject({ until: NOW + 3000, untilVerb: "resumes" });
    expect(badgeWith({ status: "paused" }).until).toBeNull();
  });

  test("CLOSED has its opening time", () => {
    const badge = badgeWith({ market: "closed", marketChangesAt: NOW + 1000 });
    expect(badge).toMatchObject({ until: NOW + 1000, untilVerb: "opens" });
  });

  test("BLOCKED and DEGRADED name the failure and its remedy", () => {
    const failure = {
      type: "auth",
      message: "Alpaca refuses the key.",
      remedy: "Replace Secret acme/alpaca.",
      at: NOW,
    };
    const badge = badgeWith({ status: "blocked", failure });
    expect(badge.message).toContain("Alpaca refuses the key");
    expect(badge.remedy).toBe("Replace Secret acme/alpaca.");
  });

  test.each(["paused", "stopped", "finished"])("a %s job whose heartbeat is old is STALE, as isLive says", (status) => {
    expect(badgeWith({ status }, 3_600_000).word).toBe("STALE");
  });
});

test("a badge does not change with the time alone", () => {
  const heartbeat = sampleHeartbeat(NOW, { status: "paused", pauseUntil: NOW + 60_000 });
  expect(areBadgesEqual(badgeOf(feed(heartbeat), NOW, 30), badgeOf(feed(heartbeat), NOW + 20_000, 30))).toBe(true);
});
