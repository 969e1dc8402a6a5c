"""The figures of the bench `stops`."""

from __future__ import annotations

from bench.stop_table import StopCell, matrix, rows_of
from bench.stop_timing import StopTiming


def _cell(*timings: StopTiming | None, limit: float = 15.0) -> StopCell:
    return StopCell("pause", "none", limit, timings)


def test_a_cell_shows_the_longest_of_its_rounds() -> None:
    cell = _cell(StopTiming(0.5, 1.0), StopTiming(0.2, 14.96))
    assert "| pause | 0.50 / 15.0 |" in matrix([cell], ["none"], 2)


def test_a_stop_that_does_not_come_is_shown_and_misses_its_target() -> None:
    cell = _cell(StopTiming(0.5, 1.0), StopTiming(0.5, None))
    assert "| pause | 0.50 / > 60 |" in matrix([cell], ["none"], 2)
    [closed, confirmed, unmeasured] = rows_of([cell])
    assert (closed.met, confirmed.met, unmeasured.met) == (True, False, True)


def test_a_stop_that_could_not_be_measured_is_counted() -> None:
    [closed, confirmed, unmeasured] = rows_of([_cell(None, StopTiming(1.0, 2.0))])
    assert (closed.met, confirmed.met) == (True, True)
    assert (unmeasured.ours, unmeasured.met) == (1, False)


def test_a_fault_has_a_limit_of_its_own() -> None:
    [closed, *_] = rows_of([_cell(StopTiming(34.0, 35.0), limit=35.0)])
    assert closed.met


def test_a_way_that_a_fault_excludes_has_a_dash() -> None:
    cells = [_cell(StopTiming(1.0, 1.0)), StopCell("deletion", "frozen", 35.0, (StopTiming(20.0, 20.0),))]
    assert "| pause | 1.00 / 1.00 | - |" in matrix(cells, ["none", "frozen"], 1)
