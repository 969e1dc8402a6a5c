from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sluice_contract.status import StreamFailure
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.freshness import NO_SYMBOLS, FreshnessSummary
from sluice_runtime.domain.health import RuntimeSnapshot
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.smoke_verdict import SmokeObservation, smoke_verdict
from support.runtime_fakes import desired, runtime_state

MONDAY = datetime(2026, 11, 30, 13, tzinfo=UTC)
OPS, QUOTES = "tenants/acme/ops/market_ingest", "tenants/acme/live_quotes"
CLOSED = "the market of alpaca:iex is closed until Monday 2026-11-30 13:00 UTC, so no quotes are expected"


def live(**changes: Any) -> RuntimeSnapshot:
    """Return the snapshot of a live stream in an open market."""
    summary = FreshnessSummary(session=MarketState("open"), counts=NO_SYMBOLS)
    snapshot = runtime_state(desired(dryRun=changes.pop("dry_run", False))).snapshot()
    return msgspec.structs.replace(snapshot, state="Live", feed="alpaca:iex", freshness=summary, **changes)


def verdict(snapshot: RuntimeSnapshot, **seen: Any) -> tuple[bool, str]:
    fields: dict[str, Any] = {"heartbeats": 0, "quotes": 0, "next_quotes_at": None, **seen}
    observation = SmokeObservation(
        snapshot=snapshot,
        always_open_feed="ALPACA_DATA_FEED=test with MONITORED_SYMBOLS=FAKEPACA",
        heartbeat_document=OPS,
        quotes_collection=QUOTES,
        **fields,
    )
    return smoke_verdict(observation)


async def test_written_documents_pass_and_are_counted_with_their_paths() -> None:
    assert verdict(live(), heartbeats=1, quotes=12) == (
        True,
        f"1 heartbeat ({OPS}) and 12 quote documents ({QUOTES}) were written to Firestore",
    )


async def test_a_heartbeat_alone_passes_and_the_sentence_says_that_the_market_is_closed() -> None:
    assert verdict(live(), heartbeats=2, next_quotes_at=MONDAY) == (
        True,
        f"2 heartbeats ({OPS}) and no quote documents ({QUOTES}) were written to Firestore: "
        f"the stream is Live; {CLOSED}",
    )


async def test_a_heartbeat_alone_passes_while_the_job_is_paused() -> None:
    paused = with_pause(desired(), PauseInForce(source="env:INGEST_ENABLED"))
    passed, sentence = verdict(runtime_state(paused).snapshot(), heartbeats=1)
    assert passed
    assert "the job is paused by env:INGEST_ENABLED; the market hours of the provider are unknown" in sentence


@pytest.mark.parametrize("heartbeats", [0, 1])
async def test_a_failure_of_the_stream_fails_the_test_if_no_quote_was_written(heartbeats: int) -> None:
    runtime = runtime_state()
    runtime.stream.record_failure(StreamError("auth", "check the key"))
    runtime.stream.on_state("Blocked")
    passed, sentence = verdict(runtime.snapshot(), heartbeats=heartbeats)
    assert not passed
    assert "the stream is Blocked (check the key); the market hours of the provider are unknown" in sentence
    assert verdict(runtime.snapshot(), heartbeats=heartbeats, quotes=1)[0]


async def test_a_provider_that_cannot_be_reached_fails_the_test_with_what_to_check() -> None:
    runtime = runtime_state()
    runtime.stream.record_failure(StreamError("network", "ws://host cannot be reached"))
    passed, sentence = verdict(runtime.snapshot(), heartbeats=1)
    assert not passed
    assert sentence.endswith("check the network to the provider's host, and the provider's status page")


async def test_documents_of_another_job_fail_the_test_with_what_to_do() -> None:
    conflict = StreamFailure(type="documentConflict", message="another job writes; it is silent in 45 s", at=MONDAY)
    passed, sentence = verdict(live(document_conflict=conflict))
    assert not passed
    assert "the stream is Live (another job writes; it is silent in 45 s); the market" in sentence
    assert sentence.endswith("stop the other job or wait until then, and run this again")


async def test_without_any_write_the_sentence_has_the_failure_the_market_and_what_to_check() -> None:
    assert verdict(live(sink_failure="Firestore is away"), next_quotes_at=MONDAY) == (
        False,
        "neither a heartbeat nor a quote document was written to Firestore: the stream is Live (Firestore is away); "
        f"{CLOSED}; check the project, the credentials and the network to Firestore (for an emulator, "
        "FIRESTORE_EMULATOR_HOST)",
    )


async def test_refused_quotes_fail_the_test_although_heartbeats_are_written() -> None:
    passed, sentence = verdict(live(sink_failure="quotes are refused"), heartbeats=3)
    assert not passed
    assert "the stream is Live (quotes are refused); the market of alpaca:iex is open; check the project" in sentence


async def test_a_dry_run_passes_with_one_quote_that_would_have_been_written() -> None:
    snapshot = live(dry_run=True)
    assert verdict(snapshot, quotes=1) == (
        True,
        f"1 quote document ({QUOTES}) would have been written",
    )
    assert not verdict(snapshot, heartbeats=3)[0]


async def test_a_dry_run_without_quotes_says_when_the_market_opens_and_what_to_do_until_then() -> None:
    assert verdict(live(dry_run=True), next_quotes_at=MONDAY) == (
        False,
        f"no quote documents ({QUOTES}) would have been written: the stream is Live; {CLOSED}; run it again then, or "
        "with a feed that never closes, such as ALPACA_DATA_FEED=test with MONITORED_SYMBOLS=FAKEPACA",
    )


async def test_a_dry_run_without_quotes_in_an_open_market_names_the_preflight() -> None:
    passed, sentence = verdict(live(dry_run=True))
    assert not passed
    assert sentence.endswith("run it longer (--seconds), or check the symbols with `sluice-runtime preflight`")


async def test_a_paused_dry_run_says_that_the_job_must_be_resumed() -> None:
    paused = with_pause(desired(dryRun=True), PauseInForce(source="env:INGEST_ENABLED"))
    passed, sentence = verdict(runtime_state(paused).snapshot())
    assert not passed
    assert sentence.endswith("resume it, then run this again")


async def test_a_fenced_runtime_fails_whatever_it_wrote() -> None:
    passed, sentence = verdict(live(), heartbeats=1, quotes=1, was_fenced=True)
    assert not passed
    assert "a later process of this job writes" in sentence
