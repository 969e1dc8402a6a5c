"""The share of idle CPU time."""

from __future__ import annotations

from itertools import count

import pytest

from bench import machine_load

BEFORE = "cpu  100 0 50 800 50 0 0 0 10 0"


def test_the_idle_share_counts_idle_and_iowait_and_no_guest_time_twice() -> None:
    assert machine_load.idle_share(BEFORE, "cpu  140 0 60 830 70 0 0 0 40 0") == 0.5


def test_without_any_time_between_the_readings_nothing_is_idle() -> None:
    assert machine_load.idle_share(BEFORE, BEFORE) == 0.0


def test_a_busy_machine_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_load, "_WINDOW_SECONDS", 0.0)
    busy = (f"cpu  {100 * number} 0 0 {number} 0 0 0 0 0 0" for number in count())
    monkeypatch.setattr(machine_load, "_times", lambda: next(busy))
    with pytest.raises(RuntimeError, match=r"1% of the machine's CPU time is idle.*stop what else runs"):
        machine_load.wait_for_idle_time(0.4, 0.0)


def test_an_idle_machine_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_load, "_WINDOW_SECONDS", 0.0)
    idle = (f"cpu  {number} 0 0 {number} 0 0 0 0 0 0" for number in count())
    monkeypatch.setattr(machine_load, "_times", lambda: next(idle))
    machine_load.wait_for_idle_time(0.4, 0.0)
