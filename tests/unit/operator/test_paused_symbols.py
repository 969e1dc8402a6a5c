"""The paused symbols of a job in little memory: nothing that a stop needs is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sluice_contract.spec import PausedSymbol
from sluice_operator.domain import objects
from sluice_operator.domain.paused_symbols import PackedPausedSymbols, pack_paused_symbols

from .world import NOW, SYNTHETIC


def test_a_pause_is_in_force_until_its_end() -> None:
    later = NOW + timedelta(seconds=1)
    packed = pack_paused_symbols([PausedSymbol(symbol="AAPL"), PausedSymbol(symbol="MSFT", until=later)])
    assert packed.symbols_in_force(NOW) == {"AAPL", "MSFT"}
    assert packed.symbols_in_force(later) == {"AAPL"}


@pytest.mark.parametrize(
    ("until", "is_in_force"),
    [
        ("0001-01-01T00:00:00+23:59", False),
        ("9999-12-31T23:59:59.999999-23:59", True),
        ("2026-03-02T16:00:00.000001+01:00", True),
        ("2026-03-02T16:00:00+01:00", False),
    ],
)
def test_the_end_of_a_pause_may_have_no_time_in_utc(until: str, is_in_force: bool) -> None:
    packed = pack_paused_symbols([PausedSymbol(symbol="AAPL", until=datetime.fromisoformat(until))])
    assert packed.symbols_in_force(NOW) == ({"AAPL"} if is_in_force else set())


def test_without_entries_nothing_is_kept() -> None:
    assert pack_paused_symbols([]) == PackedPausedSymbols()
    assert PackedPausedSymbols().symbols_in_force(NOW) == frozenset()


def test_long_reasons_take_no_memory() -> None:
    entries = [PausedSymbol(symbol=f"S{at}", reason="x" * 256) for at in range(200)]
    assert len(pack_paused_symbols(entries).packed) < 2000


def test_an_entry_that_is_not_understood_still_pauses_the_whole_job() -> None:
    entries = [{"symbol": "AAPL"}, {"symbol": "MSFT", "reason": "x" * 257}]
    job = objects.decode_job({"metadata": {"name": "us"}, "spec": {**SYNTHETIC, "pausedSymbols": entries}})
    assert job.stops.problem.startswith("spec.pausedSymbols[1].reason")
    assert job.stops.paused_symbols.symbols_in_force(NOW) == {"AAPL"}
    assert job.spec is not None
    assert job.spec.paused_symbols == []
