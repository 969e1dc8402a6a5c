"""A connection that is open and mute, and all the silences that are none.

Also looked at: data of any age, quotes and trades apart, halts and closed markets (by the caller), failing requests,
symbols that are added, a stream that is a little later than REST, and clocks (none is read).
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sluice_runtime.domain.mute_detection import MuteDetector
from support.virtual_time import START

CHECK_SECONDS = 5.0


class Connection:
    """A connection that is checked every 5 s. `ages` returns the age of a symbol's newest data in REST, by the time."""

    def __init__(self, rest: Callable[[float], dict[str, float]], stream: Callable[[float], bool]) -> None:
        self.rest = rest
        self.stream = stream
        self.detector = MuteDetector()
        self.requests: list[float] = []
        self.mute_at: float | None = None

    def play(self, seconds: float, *, is_market_open: bool = True) -> None:
        """Check the connection for so long, or until it is found mute. REST is requested once at the start."""
        self.detector.start_connection(0.0)
        self.request(0.0)
        at, last_data_at = 0.0, None
        while at < seconds and self.mute_at is None:
            at += CHECK_SECONDS
            last_data_at = at if self.stream(at) else last_data_at
            self.detector.record_data(last_data_at)
            if self.detector.is_request_due(at, self.requests[-1], is_market_open=is_market_open):
                self.request(at)

    def request(self, at: float) -> None:
        self.requests.append(at)
        newest = {symbol: START + timedelta(seconds=each) for symbol, each in self.rest(at).items()}
        if self.detector.record_response(newest, at, is_complete=True):
            self.mute_at = at


def nothing(_: float) -> bool:
    return False


@pytest.mark.parametrize("age", [0.0, 1.0, 15.0, 900.0, 1000.0, 86_400.0])
def test_a_connection_mute_from_its_first_second_is_found_within_two_minutes_whatever_the_age(age: float) -> None:
    connection = Connection(lambda at: {"SPY": at - age}, nothing)
    connection.play(600)
    assert connection.mute_at == 60


def test_different_symbols_are_evidence_too() -> None:
    connection = Connection(lambda at: {"A": 30 * (at // 60), "B": 30 * ((at + 30) // 60)}, nothing)
    connection.play(600)
    assert connection.mute_at == 60


def test_one_newer_response_is_not_enough() -> None:
    connection = Connection(lambda at: {"SPY": 0.0 if at < 20 else 20.0}, nothing)
    connection.play(7200)
    assert connection.mute_at is None


def test_newer_data_in_every_other_response_is_not_enough() -> None:
    connection = Connection(lambda at: {"SPY": float(at // 120)}, nothing)
    connection.play(7200)
    assert connection.mute_at is None


def test_a_market_for_which_rest_has_nothing_newer_is_quiet_and_requests_go_on_once_a_minute() -> None:
    connection = Connection(lambda _: {"SPY": 0.0}, nothing)
    connection.play(7200)
    assert connection.mute_at is None
    gaps = [later - earlier for earlier, later in zip(connection.requests, connection.requests[1:], strict=False)]
    assert gaps[:4] == [30, 30, 30, 30]
    assert set(gaps[4:]) == {60}


def test_no_request_is_made_while_the_market_is_closed() -> None:
    connection = Connection(lambda at: {"SPY": at}, nothing)
    connection.play(86_400, is_market_open=False)
    assert (connection.requests, connection.mute_at) == ([0.0], None)


def test_a_lively_stream_needs_no_requests() -> None:
    connection = Connection(lambda at: {"SPY": at}, lambda _: True)
    connection.play(3600)
    assert (connection.requests, connection.mute_at) == ([0.0], None)


def test_a_stream_that_falls_mute_is_found_within_two_minutes() -> None:
    connection = Connection(lambda at: {"SPY": at}, lambda at: at <= 150)
    connection.play(3600)
    assert connection.mute_at is not None
    assert 150 < connection.mute_at <= 150 + 120


def test_a_thin_stream_is_never_mute_and_its_requests_become_rarer() -> None:
    connection = Connection(lambda at: {"THIN": 240 * (at // 240)}, lambda at: at % 240 == 0)
    connection.play(7200)
    assert connection.mute_at is None
    silent = Connection(lambda _: {"THIN": 0.0}, lambda at: at == 5)
    silent.play(7200)
    assert silent.mute_at is None
    assert len(silent.requests) <= 7200 / 300 + 15


def test_a_stream_that_is_later_than_rest_is_not_mute() -> None:
    connection = Connection(lambda at: {"SPY": at}, lambda at: at % 40 == 0)
    connection.play(7200)
    assert connection.mute_at is None


def test_responses_in_short_succession_count_once() -> None:
    detector = MuteDetector()
    detector.start_connection(0.0)
    for at in range(0, 40, 5):
        assert detector.record_response({"SPY": START + timedelta(seconds=at)}, float(at), is_complete=True) is None


def test_a_response_about_added_symbols_does_not_count() -> None:
    detector = MuteDetector()
    detector.start_connection(0.0)
    assert detector.record_response({"A": START}, 0.0, is_complete=True) is None
    assert detector.record_response({"B": START}, 25.0, is_complete=False) is None
    newer = {symbol: START + timedelta(seconds=30) for symbol in "AB"}
    assert detector.record_response(newer, 30.0, is_complete=True) is None
    newest = {symbol: START + timedelta(seconds=60) for symbol in "AB"}
    assert detector.record_response(newest, 60.0, is_complete=True) == "A"


def test_data_of_an_earlier_connection_proves_nothing() -> None:
    detector = MuteDetector()
    detector.start_connection(100.0)
    detector.record_data(99.0)
    assert not detector.has_delivered
    detector.record_data(100.5)
    assert detector.has_delivered
    detector.start_connection(200.0)
    assert not detector.has_delivered


def test_a_failed_request_does_not_break_the_chain() -> None:
    detector = MuteDetector()
    detector.start_connection(0.0)
    found = [detector.record_response({"A": START + timedelta(seconds=at)}, at, is_complete=True) for at in (0.0, 30.0)]
    found.append(detector.record_response({"A": START + timedelta(seconds=150)}, 150.0, is_complete=True))
    assert found == [None, None, "A"]
