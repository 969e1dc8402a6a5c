from datetime import timedelta

from sluice_runtime.domain.sink_health import SinkFailure, SinkHealth
from support.virtual_time import START

LATER = START + timedelta(seconds=1)


def test_a_failure_has_the_newest_message_and_the_time_of_the_first() -> None:
    sink = SinkHealth()
    assert sink.record_result("quotes", "denied", START)
    assert not sink.record_result("quotes", "still denied", LATER)
    assert sink.first_failure == SinkFailure("still denied", START)


def test_each_kind_of_write_recovers_by_itself() -> None:
    sink = SinkHealth()
    sink.record_result("quotes", "denied", START)
    sink.record_result("heartbeat", "away", LATER)
    assert sink.record_result("quotes", None, LATER)
    assert not sink.record_result("quotes", None, LATER)
    assert (sink.failing_since("quotes"), sink.failing_since("heartbeat")) == (None, LATER)
    assert sink.first_failure == SinkFailure("away", LATER)
