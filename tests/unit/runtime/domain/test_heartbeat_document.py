from datetime import date, timedelta

import msgspec
from google.cloud.firestore_v1.types import Document

from sluice_contract.documents import HEARTBEAT_BYTES, NAMES_SHOWN, HeartbeatDocument
from sluice_contract.pause_status import PauseSource
from sluice_contract.remedies import REMEDIES, SINK_FAILURE, remedy_of_failure
from sluice_contract.status import StreamFailure, StreamGap
from sluice_contract.status_values import LARGEST
from sluice_contract.symbol_counts import FreshnessCounts
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.freshness import FreshnessSummary
from sluice_runtime.domain.gaps import OpenGap
from sluice_runtime.domain.health import ActivityTimes
from sluice_runtime.domain.heartbeat_document import cut_texts, heartbeat_document
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.write_budget import WriteAccount
from sluice_runtime.sinks.firestore.values import encode_fields
from support.runtime_fakes import desired
from support.snapshots import LATER, LONG, largest_snapshot, snapshot
from support.virtual_time import START

PAUSE = PauseInForce(source="spec.enabled", reason="vendor", until=LATER)
FAILURE = StreamFailure(type="auth", message="Alpaca refuses the key", at=START)


def test_a_fresh_heartbeat_has_every_field_and_null_for_what_is_unknown() -> None:
    assert heartbeat_document(snapshot()).document_fields() == {
        "status": "running",
        "ts": LATER,
        "ingest_enabled": True,
        "ingest_enabled_source": None,
        "pause_reason": None,
        "pause_until": None,
        "last_symbol": None,
        "dry_run": False,
        "job": "acme/us",
        "job_uid": "0b0b",
        "epoch": 7,
        "session_id": "5e55",
        "started_at": START,
        "effective_interval_ms": 1000,
        "heartbeat_interval_ms": 15_000,
        "loop_tick_at": START,
        "last_message_at": None,
        "last_quote_ts": None,
        "last_write_at": None,
        "feed": None,
        "market": "unknown",
        "market_changes_at": None,
        "symbols": {"desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0},
        "freshness": None,
        "stale": [],
        "halted": [],
        "unheard": [],
        "paused": [],
        "clock_skew_ms": None,
        "cluster": None,
        "gaps": [],
        "failure": None,
        "pause_by": None,
        "pause_sources": [],
        "writes_day": None,
        "writes_used": None,
        "updated_at": LATER,
        "last_heartbeat_at": LATER,
    }


def test_a_paused_heartbeat_has_the_source_the_reason_and_the_end() -> None:
    beat = heartbeat_document(snapshot("Paused", desired=with_pause(desired(), PAUSE)))
    assert (beat.status, beat.ingest_enabled, beat.ingest_enabled_source) == ("paused", False, "spec.enabled")
    assert (beat.pause_reason, beat.pause_until) == ("vendor", LATER)
    assert (beat.pause_by, beat.pause_sources) == (None, ["spec.enabled"])


def test_a_heartbeat_of_several_switches_names_all_and_has_the_author_of_the_first_and_the_latest_end() -> None:
    others = (PauseSource(source="spec.enabled"), PauseSource(source="api"))
    pause = PauseInForce(source="pause:us-7k2p", reason="vendor", by="alice", until=LATER, others=others)
    beat = heartbeat_document(snapshot("Paused", desired=with_pause(desired(), pause)))
    assert (beat.ingest_enabled_source, beat.pause_by, beat.pause_until) == ("pause:us-7k2p", "alice", None)
    assert beat.pause_sources == ["pause:us-7k2p", "spec.enabled", "api"]


def test_the_times_of_the_heartbeat_are_independent() -> None:
    instants = [START + timedelta(seconds=n) for n in range(4)]
    clocks = ActivityTimes(
        loop_tick_at=instants[0], last_message_at=instants[1], last_quote_ts=instants[2], last_write_at=instants[3]
    )
    beat = heartbeat_document(snapshot(clocks=clocks, last_symbol="AAPL"))
    assert [beat.loop_tick_at, beat.last_message_at, beat.last_quote_ts, beat.last_write_at] == instants
    assert beat.last_symbol == "AAPL"


def test_the_market_and_the_freshness_are_those_of_the_freshness_monitor() -> None:
    counts = FreshnessCounts(live=1, quiet=2, stale=3, closed=4, halted=5, paused=6)
    summary = FreshnessSummary(
        session=MarketState("open", START, LATER), counts=counts, stale=("AAPL",), halted=("MSFT",)
    )
    fields = heartbeat_document(snapshot(feed="alpaca:iex", freshness=summary)).document_fields()
    assert (fields["feed"], fields["market"], fields["market_changes_at"]) == ("alpaca:iex", "open", LATER)
    assert fields["freshness"] == {
        "live": 1,
        "quiet": 2,
        "stale": 3,
        "closed": 4,
        "halted": 5,
        "paused": 6,
        "unheard": 0,
    }
    assert (fields["stale"], fields["halted"]) == (["AAPL"], ["MSFT"])


def test_the_last_ten_gaps_are_listed_and_the_open_one_has_no_end() -> None:
    gaps = tuple(
        StreamGap(from_=START + timedelta(seconds=n), to=START + timedelta(seconds=n + 1), cause="stall")
        for n in range(10)
    )
    fields = heartbeat_document(snapshot(gaps=gaps, open_gap=OpenGap(LATER, "pause"))).document_fields()
    assert len(fields["gaps"]) == 10
    assert fields["gaps"][0] == {"from": gaps[1].from_, "to": gaps[1].to, "cause": "stall"}
    assert fields["gaps"][-1] == {"from": LATER, "to": None, "cause": "pause"}


def test_a_failure_has_a_remedy_and_is_kept_while_the_job_is_paused() -> None:
    held = snapshot("Paused", desired=with_pause(desired(), PAUSE), failure=None, unresolved_failure=FAILURE)
    fields = heartbeat_document(held).document_fields()
    assert fields["failure"] == {
        "type": "auth",
        "message": "Alpaca refuses the key",
        "remedy": remedy_of_failure("auth"),
        "at": START,
    }


def test_failing_writes_are_a_failure_unless_the_stream_has_one() -> None:
    beat = heartbeat_document(snapshot(sink_failure="denied", sink_failing_since=START))
    assert beat.failure is not None
    assert (beat.failure.type, beat.failure.message, beat.failure.at) == ("sink", "denied", START)
    both = heartbeat_document(snapshot(sink_failure="denied", sink_failing_since=START, unresolved_failure=FAILURE))
    assert both.failure is not None
    assert both.failure.type == "auth"


def size_in_firestore(document: HeartbeatDocument) -> int:
    encoded = Document.pb(Document())
    encode_fields(encoded.fields, document.document_fields())
    return int(encoded.ByteSize())


def largest_document(name: str) -> HeartbeatDocument:
    """Return the largest document of a job with 2,000 symbols: every list is full of such names, every text is long."""
    uncut = heartbeat_document(largest_snapshot())
    assert uncut.failure is not None
    remedy = max(map(remedy_of_failure, (*REMEDIES, SINK_FAILURE, "unknown")), key=len)
    return msgspec.structs.replace(
        uncut,
        pause_reason=LONG,
        failure=msgspec.structs.replace(uncut.failure, message=LONG, remedy=remedy),
        freshness=dict.fromkeys(FreshnessCounts.__struct_fields__, LARGEST),
        stale=[name] * NAMES_SHOWN,
        halted=[name] * NAMES_SHOWN,
        unheard=[name] * NAMES_SHOWN,
        paused=[name] * NAMES_SHOWN,
        clock_skew_ms=-LARGEST,
        cluster="c" * 36,
        writes_day="2026-11-28",
        writes_used=LARGEST,
    )


def test_the_largest_document_has_at_most_4_kb() -> None:
    document = cut_texts(largest_document("SYMBOL00000/LONGCLASS"))
    assert size_in_firestore(document) <= HEARTBEAT_BYTES
    assert document.failure is not None
    for text in (document.pause_reason, document.failure.message):
        assert text is not None
        assert text.endswith("…")
        assert len(text.encode()) >= 30


def test_names_of_the_usual_length_leave_room_for_the_texts() -> None:
    document = cut_texts(largest_document("GOOGL"))
    assert size_in_firestore(document) <= HEARTBEAT_BYTES
    assert document.failure is not None
    assert document.pause_reason is not None
    assert (len(document.pause_reason.encode()), len(document.failure.message.encode())) == (255, 300)


def test_the_symbols_that_are_paused_one_by_one_are_listed() -> None:
    many = frozenset(f"S{number:03}" for number in range(30))
    fields = heartbeat_document(snapshot(desired=msgspec.structs.replace(desired(), paused=many))).document_fields()
    assert fields["paused"] == [f"S{number:03}" for number in range(20)]
    assert fields["symbols"]["paused"] == 30


def test_paused_symbols_give_way_to_the_other_lists_where_all_names_are_long() -> None:
    name = "SYMBOL00000/LONGCLASS"
    full = largest_document(name)
    assert cut_texts(full).paused == []
    fewer = msgspec.structs.replace(full, stale=[], halted=[name] * 5)
    assert cut_texts(fewer).paused == [name] * NAMES_SHOWN
    assert size_in_firestore(cut_texts(fewer)) <= HEARTBEAT_BYTES
    usual = cut_texts(largest_document("GOOGL"))
    assert usual.paused == ["GOOGL"] * NAMES_SHOWN


def test_every_list_of_the_document_is_limited() -> None:
    document = heartbeat_document(largest_snapshot())
    assert (len(document.stale), len(document.halted), len(document.gaps)) == (20, 20, 10)
    assert size_in_firestore(document) <= HEARTBEAT_BYTES


def test_texts_are_shorter_where_many_symbols_have_long_names() -> None:
    failure = StreamFailure(type="network", message="m" * 400, at=START)
    document = heartbeat_document(snapshot(failure=failure, unresolved_failure=failure))
    assert document.failure is not None
    assert 290 < len(document.failure.message.encode()) <= 300
    largest = heartbeat_document(largest_snapshot())
    assert largest.failure is not None
    assert len(largest.failure.message.encode()) <= 100
    assert len(largest.unheard) == 20


def test_the_documents_of_the_day_include_the_heartbeat_itself() -> None:
    account = WriteAccount(day=date(2026, 11, 28), used=1234, resets_at=LATER, limit=20_000, paced_interval_seconds=7.5)
    fields = heartbeat_document(snapshot(writes=account)).document_fields()
    assert (fields["writes_day"], fields["writes_used"]) == ("2026-11-28", 1235)
    assert fields["effective_interval_ms"] == 7500
