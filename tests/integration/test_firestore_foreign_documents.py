"""Documents of other writers in the sink's collections: one suite for the Firestore sink and its fake."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.documents import HeartbeatDocument
from sluice_runtime.ports import Sink
from support.fake_sink import JOB
from support.sinks import NOW, Documents, heartbeat, quote, state

# Google's client must stay on the event loop that created it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROJECT = "demo-sluice-foreign"
TEXT = "2026-03-02T15:00:00Z"


@pytest.mark.parametrize(
    "foreign",
    [{}, {"symbol": "AAPL"}, {"bid_price": 1.0}, {"ts": TEXT, "symbol": "AAPL"}, {"ts": None}, {"ts": 1772463600}],
    ids=str,
)
async def test_a_document_without_a_time_is_left_out_of_the_times(
    sink: Sink, documents: Documents, foreign: dict[str, Any]
) -> None:
    await documents.put_quote("AAPL", foreign)
    await sink.write_quotes([quote("MSFT")])
    assert await sink.quote_document_times(["AAPL", "MSFT"]) == {"MSFT": NOW}


async def test_a_document_belongs_to_the_symbol_of_its_path(sink: Sink, documents: Documents) -> None:
    await documents.put_quote("BTC/USD", {"ts": NOW})
    await documents.put_quote("ETH/USD", {"ts": NOW, "symbol": "AAPL"})
    assert await sink.quote_document_times(["BTC/USD", "ETH/USD"]) == {"BTC/USD": NOW, "ETH/USD": NOW}


@pytest.mark.parametrize("name", [None, 7, "", "OTHER", "a/b/c", "TSLA/"], ids=repr)
async def test_a_record_without_a_symbol_is_ignored(sink: Sink, documents: Documents, name: object) -> None:
    foreign = {"job": JOB, "pause_fetch": True, "status": "paused"}
    await documents.put_record("TSLA", foreign if name is None else {**foreign, "canonical_symbol": name})
    await sink.merge_ingest_states([state("BTC/USD", "paused")])
    assert await sink.recorded_symbols_of_job() == {"BTC/USD"}
    assert await sink.symbols_recorded_as_paused() == {"BTC/USD"}


async def test_a_heartbeat_with_an_invalid_epoch_is_replaced(sink: Sink, documents: Documents) -> None:
    ours: HeartbeatDocument = heartbeat("foreign", 7)
    await documents.put_heartbeat({**ours.document_fields(), "epoch": "nine"})
    unread = await sink.stored_heartbeat()
    assert unread is not None
    assert (unread.job_uid, unread.epoch) == ("foreign", None)
    await sink.write_heartbeat(ours)
    assert await documents.heartbeat() == ours.document_fields()
    stored = await sink.stored_heartbeat()
    assert stored is not None
    assert (stored.job_uid, stored.epoch) == ("foreign", 7)
    await documents.put_heartbeat({"job_uid": "foreign"})
    await sink.write_heartbeat(msgspec.structs.replace(ours, status="paused"))
    found = await documents.heartbeat()
    assert found is not None
    assert found["status"] == "paused"


@pytest.mark.parametrize("name", ["BTC/USD", "status.x", "a..b", ".", "BRK.B", "`", "__x"])
async def test_the_next_heartbeat_removes_foreign_fields_of_any_name(
    sink: Sink, documents: Documents, name: str
) -> None:
    await documents.put_heartbeat({"job_uid": "foreign", name: {"deeper": 1}})
    await sink.write_heartbeat(heartbeat("foreign", 7))
    assert await documents.heartbeat() == heartbeat("foreign", 7).document_fields()


async def test_documents_without_a_job_are_not_deleted(sink: Sink, documents: Documents) -> None:
    await documents.put_quote("NOBODY", {"bid": 1.0})
    await documents.put_quote("NUMBER", {"job": 7})
    await sink.delete_own_quotes_and_bars(["NOBODY", "NUMBER"])
    assert await documents.quote("NOBODY") == {"bid": 1.0}
    assert await documents.quote("NUMBER") == {"job": 7}
