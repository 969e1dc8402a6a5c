from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_contract.gap_documents import GAP_RETENTION, GapRepair, IngestGap, ingest_gap_path

START = datetime(2026, 11, 27, 15, 4, 5, 6, tzinfo=UTC)


def gap(**changes: Any) -> IngestGap:
    fields: dict[str, Any] = {
        "job": "acme/us",
        "from_": START,
        "to": START + timedelta(seconds=3),
        "cause": "pause",
        "symbols": None,
        "repair": GapRepair(open_symbols=2),
        "session_id": "5e55",
    }
    return IngestGap(**(fields | changes))


def test_the_fields_of_a_gap() -> None:
    assert gap().document_fields() == {
        "job": "acme/us",
        "from": START,
        "to": START + timedelta(seconds=3),
        "cause": "pause",
        "symbols": None,
        "repaired": False,
        "repair": {"trades": 0, "bars": 0, "open_symbols": 2},
        "session_id": "5e55",
        "expire_at": START + timedelta(seconds=3) + GAP_RETENTION,
    }


def test_a_gap_without_open_symbols_is_repaired() -> None:
    assert gap(repair=GapRepair(trades=7, bars=1, open_symbols=0)).document_fields()["repaired"] is True


def test_the_id_depends_only_on_the_gap() -> None:
    later = gap(to=START + timedelta(hours=1), session_id="f00d", repair=GapRepair(open_symbols=0), cause="restart")
    assert gap().document_id == later.document_id == "20261127T150405.000006Z_acme_us"


def test_gaps_of_other_jobs_starts_and_symbols_have_other_ids() -> None:
    others = [
        gap(),
        gap(job="acme/eu"),
        gap(job="beta/us"),
        gap(from_=START + timedelta(microseconds=1)),
        gap(symbols=["BTC/USD"]),
        gap(symbols=["BTC/USD", "ETH/USD"]),
    ]
    assert len({each.document_id for each in others}) == len(others)
    assert not any("/" in each.document_id for each in others)


def test_ids_are_in_the_order_of_the_starts() -> None:
    starts = [START + timedelta(seconds=seconds) for seconds in (0, 0.5, 1, 60, 86400)]
    ids = [gap(from_=start).document_id for start in starts]
    assert ids == sorted(ids)


def test_the_path_of_a_gap() -> None:
    assert ingest_gap_path("acme", "ID") == "tenants/acme/ingest_gaps/ID"
