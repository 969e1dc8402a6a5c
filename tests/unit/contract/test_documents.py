import re
from datetime import UTC, datetime

import msgspec
import pytest

from sluice_contract.documents import (
    HeartbeatDocument,
    HeartbeatFailure,
    HeartbeatGap,
    IngestState,
    LiveQuote,
    document_id,
    heartbeat_path,
    ingest_state_path,
    live_quote_path,
)
from support.sinks import heartbeat

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("symbol", "name"), [("AAPL", "AAPL"), ("BRK.B", "BRK.B"), ("BTC/USD", "BTC-USD")])
def test_a_symbol_is_a_document_id(symbol: str, name: str) -> None:
    assert document_id(symbol) == name


def test_documents_are_below_their_tenant() -> None:
    assert live_quote_path("acme", "live_quotes", "BTC/USD") == "tenants/acme/live_quotes/BTC-USD"
    assert heartbeat_path("acme", "market_ingest") == "tenants/acme/ops/market_ingest"


def test_paths_name_documents_and_never_collections() -> None:
    for path in (live_quote_path("a", "b", "C/D"), heartbeat_path("a", "b"), ingest_state_path("a", "C/D")):
        assert len(path.split("/")) % 2 == 0


def test_a_quote_has_the_field_names_of_older_readers() -> None:
    quote = LiveQuote(
        symbol="A",
        bid=1.0,
        ask=2.0,
        bid_size=3.0,
        ask_size=4.0,
        price=1.5,
        ts=NOW,
        source="s",
        job="acme/us",
        session_id="x",
        seq=1,
        epoch=2,
        written_at=NOW,
    )
    fields = quote.document_fields()
    older = {"bid_price": 1.0, "ask_price": 2.0, "last_trade_price": 1.5, "last_update_ts": NOW}
    assert {name: fields[name] for name in older} == older
    assert fields["status"] == "live"


def test_field_names_are_those_of_firestore_documents() -> None:
    for kind in (LiveQuote, HeartbeatDocument, IngestState):
        assert all(re.fullmatch(r"[a-z][a-z_]*", name) for name in kind.__struct_fields__)


def test_a_heartbeat_has_the_field_names_of_older_readers() -> None:
    fields = heartbeat("0b0b", 7).document_fields()
    assert fields["ts"] == fields["updated_at"] == fields["last_heartbeat_at"]
    assert len(fields) == len(HeartbeatDocument.__struct_fields__) + 2


def test_the_parts_of_a_heartbeat_are_maps_and_lists() -> None:
    gap = HeartbeatGap(from_=NOW, to=None, cause="pause")
    failure = HeartbeatFailure(type="auth", message="m", remedy="r", at=NOW)
    fields = msgspec.structs.replace(heartbeat("0b0b", 7), gaps=[gap], failure=failure).document_fields()
    assert fields["gaps"] == [{"from": NOW, "to": None, "cause": "pause"}]
    assert fields["failure"] == {"type": "auth", "message": "m", "remedy": "r", "at": NOW}


def test_a_record_leaves_out_unknown_fields() -> None:
    bare = IngestState(
        canonical_symbol="A",
        job="acme/us",
        status="active",
        pause_fetch=False,
        notes=None,
        last_times={},
        updated_at=NOW,
    )
    assert bare.document_fields().keys() == {"canonical_symbol", "job", "status", "pause_fetch", "updated_at"}


def test_a_record_has_the_times_of_each_channel_under_the_channel_s_own_name() -> None:
    times = dict.fromkeys(("quotes", "trades", "bars"), NOW)
    full = IngestState(
        canonical_symbol="A", job=None, status="active", pause_fetch=False, notes=None, last_times=times, updated_at=NOW
    )
    assert full.document_fields()["channels"] == {
        "quotes": {"timeframe": "tick", "last_ts": NOW},
        "trades": {"timeframe": "tick", "last_ts": NOW},
        "bars": {"timeframe": "1Min", "last_bar_ts_utc": NOW},
    }
