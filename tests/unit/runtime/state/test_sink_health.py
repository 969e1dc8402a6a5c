from datetime import timedelta

import pytest

from sluice_runtime.state.instruments import Instruments
from sluice_runtime.state.sink_health import SinkFailure, SinkHealth
from support.virtual_time import START, at, now

LATER = START + timedelta(seconds=1)


@pytest.fixture
async def instruments() -> Instruments:
    return Instruments(now)


@pytest.fixture
async def sink(instruments: Instruments) -> SinkHealth:
    return SinkHealth(instruments)


async def test_a_failure_has_the_newest_message_and_the_time_of_the_first(sink: SinkHealth) -> None:
    sink.record_result("quotes", "denied")
    await at(1)
    sink.record_result("quotes", "still denied")
    assert sink.first_failure == SinkFailure("still denied", START)


async def test_each_kind_of_write_recovers_by_itself(sink: SinkHealth) -> None:
    sink.record_result("quotes", "denied")
    await at(1)
    sink.record_result("heartbeat", "away")
    for _ in range(2):
        sink.record_result("quotes", None)
    assert (sink.failing_since("quotes"), sink.failing_since("heartbeat")) == (None, LATER)
    assert sink.first_failure == SinkFailure("away", LATER)


async def test_only_a_change_of_the_sink_s_health_is_a_transition(sink: SinkHealth, instruments: Instruments) -> None:
    for failure in (None, "a", "b", None, None):
        sink.record_result("quotes", failure)
    assert instruments.transitions.value == 2


async def test_acknowledged_writes_are_counted_and_timed(sink: SinkHealth, instruments: Instruments) -> None:
    await at(1)
    sink.record_quote_writes(5)
    assert (instruments.counters.writes, sink.last_write_at) == (5, LATER)
    await at(60)
    assert sink.quote_writes_of_last_minute() == 5
    await at(62)
    assert sink.quote_writes_of_last_minute() == 0


async def test_the_first_write_is_a_transition_so_that_it_is_soon_in_the_status(
    sink: SinkHealth, instruments: Instruments
) -> None:
    for _ in range(2):
        sink.record_quote_writes(1)
    assert instruments.transitions.value == 1


async def test_a_pause_forgets_the_failures_of_quotes_and_documents_only(sink: SinkHealth) -> None:
    for kind in ("quotes", "documents", "heartbeat"):
        sink.record_result(kind, "denied")
    sink.forget_failures_of_paused_writes()
    assert [sink.failing_since(kind) for kind in ("quotes", "documents", "heartbeat")] == [None, None, START]


async def test_a_sink_is_healthy_when_all_kinds_of_writes_succeed(sink: SinkHealth) -> None:
    sink.record_result("quotes", "denied")
    sink.record_result("heartbeat", "away")
    sink.record_result("quotes", None)
    assert sink.first_failure is not None
    assert sink.first_failure.message == "away"
    sink.record_result("heartbeat", None)
    assert sink.first_failure is None


async def test_the_kinds_of_writes_that_fail_are_known(sink: SinkHealth) -> None:
    sink.record_result("quotes", "denied")
    sink.record_result("heartbeat", "away")
    sink.record_result("quotes", None)
    assert set(sink.failing_writes) == {"heartbeat"}
