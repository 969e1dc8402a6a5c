from datetime import timedelta

from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.event_clock import UNLIMITED
from sluice_runtime.domain.market import Quote
from sluice_runtime.domain.market_snapshot import MarketSnapshot
from sluice_runtime.domain.stream_activity import StreamActivity
from support.virtual_time import START


def quote(at: float) -> Quote:
    ts = START + timedelta(seconds=at)
    return Quote(symbol="A", ts=ts, bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0)


def test_nothing_has_arrived_at_first() -> None:
    activity = StreamActivity()
    assert (activity.last_message_at, activity.last_message_seconds) == (None, None)
    assert activity.seconds_of_last_data("quotes") is None


def test_an_empty_batch_is_a_message_without_data() -> None:
    activity = StreamActivity()
    assert activity.record_batch("quotes", [], START, 3.0) == UNLIMITED
    assert (activity.last_message_at, activity.last_message_seconds) == (START, 3.0)
    assert activity.seconds_of_last_data("quotes") is None


def test_each_kind_of_data_has_its_own_time() -> None:
    activity = StreamActivity()
    activity.record_batch("quotes", [quote(0)], START, 1.0)
    activity.record_message(START, 2.0)
    activity.record_data("bars", 3.0)
    assert activity.seconds_of_last_data("quotes") == 1.0
    assert activity.seconds_of_last_data("bars") == 3.0
    assert activity.seconds_of_last_data("trades") is None


def test_a_batch_does_not_set_its_own_limit_but_that_of_the_next() -> None:
    activity = StreamActivity()
    assert activity.record_batch("quotes", [quote(0)], START, 0.0) == UNLIMITED
    limit = activity.record_batch("quotes", [quote(3600)], START, 1.0)
    assert limit == START + timedelta(seconds=6)


def test_the_provider_s_time_is_this_node_s_corrected_by_the_skew() -> None:
    activity = StreamActivity()
    assert activity.provider_time(START, 5.0) == START
    activity.record_clock_reading(ClockReading(earliest=START, latest=START, sent_at=5.0, received_at=5.0))
    assert activity.provider_time(START + timedelta(seconds=30), 5.0) == START


def test_wrong_timestamps_are_no_evidence_of_a_wrong_clock() -> None:
    activity = StreamActivity(has_provider_timestamps=True)
    for at in range(60):
        wrong = quote(at + 3600.0)
        activity.record_batch("quotes", [wrong if at % 10 == 5 else quote(at)], START, float(at))
    skew = activity.clock_skew.skew_seconds(START + timedelta(seconds=60 - 30), 60.0)
    assert skew is not None
    assert -32 < skew < -28


def test_a_snapshot_whose_quotes_are_later_than_its_date_is_used() -> None:
    activity = StreamActivity()
    early = ClockReading(earliest=START, latest=START, sent_at=0.0, received_at=0.0)
    later = Quote(symbol="B", ts=quote(3600).ts, bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0)
    limit = activity.record_snapshot(MarketSnapshot((quote(3600), later), clock_reading=early), 0.0)
    assert limit == START + timedelta(seconds=3605)


def test_the_newest_quote_is_dated_by_its_arrival_not_by_its_own_time() -> None:
    activity = StreamActivity()
    activity.record_batch("quotes", [quote(-3600)], START, 3.0)
    assert activity.last_quote_received_at == START
    later = START + timedelta(seconds=5)
    activity.record_batch("trades", [quote(5)], later, 8.0)
    activity.record_batch("quotes", [], later, 8.0)
    assert activity.last_quote_received_at == START
    times = activity.to_activity_times(later, quote(-3600).ts, None)
    assert (times.last_quote_received_at, times.last_quote_ts) == (START, START - timedelta(hours=1))
