from datetime import timedelta

from sluice_runtime.domain.durations import PauseTimes, StreamStateTimes
from support.virtual_time import START


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_each_state_has_the_seconds_that_the_stream_was_in_it() -> None:
    times = StreamStateTimes()
    times.enter_state("Connecting", START)
    times.enter_state("Live", START + after(2))
    times.enter_state("BackingOff", START + after(12))
    times.enter_state("Live", START + after(15))
    found = times.seconds_by_state(START + after(20))
    assert (found["Connecting"], found["Live"], found["BackingOff"], found["Blocked"]) == (2, 15, 3, 0)
    assert times.since == START + after(15)


def test_before_the_first_state_every_state_has_0_seconds() -> None:
    assert set(StreamStateTimes().seconds_by_state(START).values()) == {0.0}


def test_a_clock_that_goes_back_takes_no_seconds_away() -> None:
    times, pauses = StreamStateTimes(), PauseTimes()
    times.enter_state("Live", START)
    pauses.follow(START, is_paused=True)
    assert times.seconds_by_state(START - after(60))["Live"] == 0
    assert pauses.paused_seconds(START - after(60)) == 0


def test_the_paused_seconds_contain_the_pause_in_force() -> None:
    pauses = PauseTimes()
    pauses.follow(START, is_paused=False)
    pauses.follow(START + after(10), is_paused=True)
    pauses.follow(START + after(20), is_paused=True)  # by a further switch
    assert pauses.paused_seconds(START + after(25)) == 15
    pauses.follow(START + after(40), is_paused=False)
    assert pauses.paused_seconds(START + after(99)) == 30


def test_a_pause_is_measured_once_until_its_acknowledgement() -> None:
    pauses = PauseTimes()
    pauses.acknowledge(START)  # the process waits for its job
    pauses.follow(START + after(10), is_paused=True)
    pauses.acknowledge(START + after(10.3))
    pauses.acknowledge(START + after(50))
    measured = pauses.seconds_to_acknowledgement
    assert (measured.value_count, round(measured.sum, 6)) == (1, 0.3)


def test_a_pause_that_ends_unacknowledged_is_not_measured() -> None:
    pauses = PauseTimes()
    pauses.follow(START, is_paused=True)
    pauses.follow(START + after(5), is_paused=False)
    pauses.acknowledge(START + after(9))
    assert pauses.seconds_to_acknowledgement.value_count == 0
