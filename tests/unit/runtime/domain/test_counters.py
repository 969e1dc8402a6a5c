from datetime import timedelta

from sluice_contract.status import StreamGap
from sluice_runtime.domain.counters import Counters, increment
from support.virtual_time import START


def test_counts_are_kept_by_label() -> None:
    counts: dict[str, int] = {}
    increment(counts, "a")
    increment(counts, "a", 2)
    increment(counts, "b", 0)
    assert counts == {"a": 3, "b": 0}


def test_two_processes_counters_are_their_own() -> None:
    first, second = Counters(), Counters()
    increment(first.stops, "x")
    assert second.stops == {}


def test_each_count_rises_by_itself() -> None:
    counters = Counters()
    counters.count_start()
    counters.count_live_transition()
    counters.count_writes(3)
    counters.count_symbol_pauses(2)
    found = (counters.starts, counters.live_transitions, counters.writes, counters.paused_by_flag)
    assert found == (1, 1, 3, 2)


def test_a_gap_is_counted_with_its_seconds() -> None:
    counters = Counters()
    for seconds in (5, 7):
        counters.count_gap(StreamGap(from_=START, to=START + timedelta(seconds=seconds), cause="stall"))
    assert (counters.gaps, counters.gap_seconds) == ({"stall": 2}, {"stall": 12.0})
