from datetime import datetime, timedelta
from typing import Any

import pytest

from sluice_contract.documents import IngestState
from sluice_runtime.domain.symbol_records import IngestStateRecords
from support.runtime_fakes import desired
from support.virtual_time import START

STAMP = "2026-03-02 15:00:00 UTC"
PAUSED: dict[str, Any] = {"pausedSymbols": [{"symbol": "AAPL", "reason": "bad prints"}]}


class World:
    """Records and the writes that they cause. `times` are the last event times, by symbol."""

    def __init__(self, *paused: str, own: tuple[str, ...] = ()) -> None:
        self.records = IngestStateRecords("acme/us", frozenset(paused), frozenset(own))
        self.deleted = {"AAPL", "MSFT"}  # empty unless a test says that a document still exists
        self.times: dict[str, dict[str, datetime]] = {}

    def write(
        self, at: float = 0.0, count: int = 100, rejected: tuple[str, ...] = (), **spec: Any
    ) -> list[IngestState]:
        self.records.update_from_desired(desired(**spec), rejected, self.deleted, START + timedelta(seconds=at))
        due = self.due(at, count)
        self.records.mark_written(due, at)
        return due

    def due(self, at: float, count: int = 100) -> list[IngestState]:
        return self.records.due_records(
            lambda symbol: self.times.get(symbol, {}), at, START + timedelta(seconds=at), count
        )


@pytest.fixture
def world() -> World:
    return World()


def test_each_symbol_has_its_record_written_once(world: World) -> None:
    written = world.write()
    assert {(each.canonical_symbol, each.status, each.pause_fetch, each.notes) for each in written} == {
        ("AAPL", "active", False, f"Symbol ADDED by user on {STAMP}"),
        ("MSFT", "active", False, f"Symbol ADDED by user on {STAMP}"),
    }
    assert world.write(1000) == []


def test_a_pause_is_recorded_at_once_with_its_day_and_reason_and_so_is_its_end(world: World) -> None:
    world.write()
    [paused] = world.write(**PAUSED)
    assert (paused.status, paused.pause_fetch) == ("paused", True)
    assert paused.notes == f"Data fetching PAUSED by user on {STAMP}: bad prints"
    [resumed] = world.write()
    assert (resumed.status, resumed.pause_fetch) == ("active", False)
    assert resumed.notes == f"Data fetching RESUMED by user on {STAMP}"


def test_a_pause_does_not_wait_behind_the_first_records_of_others() -> None:
    world, names = World(), [f"S{n}" for n in range(500)]
    world.write(count=10, symbols=names)
    paused: dict[str, Any] = {"pausedSymbols": [{"symbol": "S499"}, {"symbol": "S3"}]}
    written = world.write(count=10, symbols=names, **paused)
    assert {each.canonical_symbol for each in written[:2]} == {"S499", "S3"}
    assert {each.status for each in written[:2]} == {"paused"}


def test_a_symbol_that_comes_back_before_its_removal_was_written_is_added(world: World) -> None:
    world.write()
    world.records.update_from_desired(desired(symbols=["MSFT"]), (), world.deleted, START)
    [again] = world.write()
    assert (again.canonical_symbol, again.status) == ("AAPL", "active")
    assert again.notes == f"Symbol ADDED by user on {STAMP}"


def test_a_pause_of_the_whole_job_is_not_recorded_for_its_symbols(world: World) -> None:
    world.write()
    assert world.write(enabled=False) == []


def test_a_removed_symbol_s_record_says_removed_and_is_then_left_unchanged(world: World) -> None:
    world.write(**PAUSED)
    removed = world.write(symbols=["SPY"])
    assert {(each.canonical_symbol, each.status, each.pause_fetch) for each in removed} == {
        ("AAPL", "removed", False),
        ("MSFT", "removed", False),
        ("SPY", "active", False),
    }
    assert {each.notes for each in removed if each.status == "removed"} == {f"Symbol REMOVED by user on {STAMP}"}
    world.times["AAPL"] = {"quotes": START}
    assert world.write(1000, symbols=["SPY"]) == []
    assert [each.status for each in world.write(1000, symbols=["SPY", "AAPL"])] == ["active"]


def test_a_symbol_that_returns_is_no_longer_called_removed(world: World) -> None:
    world.write()
    world.write(symbols=["MSFT"])
    [returned] = world.write()
    assert (returned.canonical_symbol, returned.status) == ("AAPL", "active")
    assert returned.notes == f"Symbol ADDED by user on {STAMP}"


def test_a_removed_symbol_s_record_stays_as_it_was_until_its_documents_are_gone(world: World) -> None:
    world.write()
    world.deleted = set()
    assert world.write(symbols=["SPY", "AAPL"])[0].canonical_symbol == "SPY"
    assert world.write(1000, symbols=["SPY", "AAPL"]) == []
    world.deleted = {"MSFT"}
    assert [each.status for each in world.write(1000, symbols=["SPY", "AAPL"])] == ["removed"]


def test_a_record_belongs_to_the_job_until_its_status_is_removed(world: World) -> None:
    assert {each.job for each in world.write(**PAUSED)} == {"acme/us"}
    assert {(each.status, each.job) for each in world.write(symbols=["SPY"])} == {
        ("active", "acme/us"),
        ("removed", None),
    }


def test_a_symbol_removed_while_no_process_ran_is_recorded_after_its_documents_are_deleted() -> None:
    world = World("OLD", own=("OLD", "AAPL"))
    assert {each.canonical_symbol for each in world.write()} == {"AAPL", "MSFT"}
    world.deleted = {"OLD"}
    [removed] = world.write()
    assert (removed.canonical_symbol, removed.status, removed.pause_fetch) == ("OLD", "removed", False)
    assert removed.notes == f"Symbol REMOVED by user on {STAMP}"
    assert world.write(1000) == []


def test_the_record_of_a_rejected_symbol_says_so(world: World) -> None:
    assert {each.status for each in world.write(rejected=("MSFT",))} == {"active", "rejected"}
    assert [each.status for each in world.write()] == ["active"]


def test_a_restart_keeps_the_date_of_a_pause() -> None:
    [paused, _] = sorted(World("AAPL").write(**PAUSED), key=lambda each: each.canonical_symbol)
    assert (paused.pause_fetch, paused.notes) == (True, None)


def test_a_symbol_resumed_before_a_restart_is_recorded_after_it() -> None:
    [resumed, other] = sorted(World("AAPL", own=("AAPL", "MSFT")).write(), key=lambda each: each.canonical_symbol)
    assert resumed.notes == f"Data fetching RESUMED by user on {STAMP}"
    assert other.notes is None


def test_event_times_are_brought_up_to_date_at_most_once_a_minute_and_only_if_they_moved(world: World) -> None:
    world.write()
    world.times["AAPL"] = {"quotes": START}
    assert world.write(59.9) == []
    [updated] = world.write(60)
    assert updated.last_times == {"quotes": START}
    assert world.write(1000) == []
    world.times["AAPL"] = {"quotes": START + timedelta(seconds=1)}
    assert len(world.write(1000)) == 1


def test_a_paused_symbol_s_event_times_stay_as_they_were(world: World) -> None:
    world.times["AAPL"] = {"quotes": START}
    world.write()
    world.times.clear()
    [paused] = world.write(**PAUSED)
    assert "channels" not in paused.document_fields()
    assert world.write(1000, **PAUSED) == []


def test_transitions_are_written_before_refreshes(world: World) -> None:
    world.write()
    world.times["MSFT"] = {"quotes": START}
    [first] = world.write(60, 1, **PAUSED)
    assert first.canonical_symbol == "AAPL"
    [second] = world.write(60, 1, **PAUSED)
    assert second.canonical_symbol == "MSFT"


def test_a_record_that_could_not_be_written_stays_due(world: World) -> None:
    world.records.update_from_desired(desired(), (), set(), START)
    assert len(world.due(0)) == len(world.due(5)) == 2


def test_a_change_during_a_write_is_still_due(world: World) -> None:
    world.records.update_from_desired(desired(), (), set(), START)
    due = world.due(0)
    world.records.update_from_desired(desired(**PAUSED), (), set(), START)
    world.records.mark_written(due, 0)
    assert [each.status for each in world.due(0)] == ["paused"]
