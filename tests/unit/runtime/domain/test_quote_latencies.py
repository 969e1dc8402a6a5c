from datetime import datetime, timedelta

import pytest

from sluice_runtime.domain.market import Quote
from sluice_runtime.domain.quote_latencies import QuoteLatencies
from support.virtual_time import START

LIVE = START


def after(seconds: float) -> datetime:
    return LIVE + timedelta(seconds=seconds)


def quote(ts: datetime, bid: float = 100.0, symbol: str = "AAPL") -> Quote:
    return Quote(symbol=symbol, ts=ts, bid=bid, ask=101.0, bid_size=1.0, ask_size=2.0)


def live() -> QuoteLatencies:
    latencies = QuoteLatencies()
    latencies.begin_stream(LIVE)
    return latencies


def test_a_measured_frame_stands_for_the_quotes_since_the_one_before() -> None:
    latencies = live()
    latencies.sample_received(after(1), after(1.25), 50.0, received_count=3)
    latencies.sample_received(after(2), after(2.5), 51.0, received_count=10)
    assert (latencies.event_to_receive.value_count, latencies.event_to_receive.sum) == (10, 3 * 0.25 + 7 * 0.5)


def test_a_frame_is_measured_at_most_once_in_10_milliseconds() -> None:
    latencies = live()
    latencies.sample_received(after(1), after(1), 50.0, received_count=1)
    assert latencies.next_sample_at == pytest.approx(50.01)


def test_a_frame_whose_quotes_were_all_dropped_is_not_measured() -> None:
    latencies = live()
    latencies.sample_received(after(1), after(1), 50.0, received_count=0)
    assert latencies.event_to_receive.value_count == 0


def test_a_written_quote_is_measured_from_its_event() -> None:
    latencies = live()
    latencies.record_writes([quote(after(1)), quote(after(1), symbol="MSFT")], after(1.5))
    assert (latencies.event_to_write.value_count, latencies.event_to_write.sum) == (2, 1.0)


def test_the_buckets_tell_a_write_that_waited_for_a_flush_from_one_that_did_not() -> None:
    latencies = live()
    latencies.record_writes([quote(after(1))], after(1.008))
    latencies.record_writes([quote(after(2), 99.0)], after(2.03))
    buckets = {bound: count for bound, count in latencies.event_to_write.cumulative_counts() if bound <= 0.05}
    assert buckets == {0.01: 1, 0.025: 1, 0.05: 2}


@pytest.mark.parametrize(
    "second",
    [
        quote(after(1)),  # the same event again, with another price, status or trade
        quote(after(9)),  # the values of the document: it waited for the refresh
        quote(after(0.5), 99.0),  # an older event
    ],
)
def test_a_quote_that_repeats_what_was_written_is_not_late(second: Quote) -> None:
    latencies = live()
    latencies.record_writes([quote(after(1))], after(1.5))
    latencies.record_writes([second], after(20))
    assert latencies.event_to_write.value_count == 1


def test_a_changed_quote_is_measured_again() -> None:
    latencies = live()
    latencies.record_writes([quote(after(1))], after(1.5))
    latencies.record_writes([quote(after(2), 99.0)], after(3))
    assert (latencies.event_to_write.value_count, latencies.event_to_write.sum) == (2, 1.5)


def test_quotes_from_before_the_stream_was_live_are_not_measured() -> None:
    latencies = QuoteLatencies()
    latencies.record_writes([quote(after(1))], after(2))
    latencies.begin_stream(LIVE)
    latencies.record_writes([quote(after(-3600))], after(2))
    assert latencies.event_to_write.value_count == 0


def test_a_new_connection_and_a_removed_symbol_are_measured_from_the_start() -> None:
    latencies = live()
    latencies.record_writes([quote(after(1)), quote(after(1), symbol="MSFT")], after(1))
    latencies.retain_only({"AAPL"})
    latencies.record_writes([quote(after(2)), quote(after(2), symbol="MSFT")], after(2))
    assert latencies.event_to_write.value_count == 3
    latencies.begin_stream(after(10))
    latencies.record_writes([quote(after(11))], after(11))
    assert latencies.event_to_write.value_count == 4
