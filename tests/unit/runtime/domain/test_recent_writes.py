from datetime import timedelta

from sluice_runtime.domain.recent_writes import RecentWrites
from support.virtual_time import START


def test_the_writes_of_the_last_minute_are_counted() -> None:
    writes = RecentWrites()
    assert writes.writes_of_last_minute(START) == 0
    for second in range(90):
        writes.add(2, START + timedelta(seconds=second))
        writes.add(1, START + timedelta(seconds=second + 0.5))
    assert writes.writes_of_last_minute(START + timedelta(seconds=89.9)) == 3 * 60
    assert writes.writes_of_last_minute(START + timedelta(seconds=119.5)) == 3 * 30
    assert writes.writes_of_last_minute(START + timedelta(seconds=200)) == 0


def test_a_clock_that_goes_back_loses_no_write() -> None:
    writes = RecentWrites()
    writes.add(1, START + timedelta(seconds=1))
    writes.add(1, START)
    assert writes.writes_of_last_minute(START + timedelta(seconds=2)) == 2
