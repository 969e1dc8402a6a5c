from datetime import timedelta

import pytest

from sluice_runtime.domain.health import DestinationReport
from sluice_runtime.state.destination_health import DestinationHealth, DestinationHealths
from sluice_runtime.state.instruments import Instruments
from support.virtual_time import START, at, now

LATER = START + timedelta(seconds=1)


@pytest.fixture
async def health() -> DestinationHealth:
    return DestinationHealth("nats", Instruments(now))


async def test_a_failure_has_the_newest_message_and_the_time_of_the_first(
    health: DestinationHealth, caplog: pytest.LogCaptureFixture
) -> None:
    health.record_failure("refused")
    await at(1)
    health.record_failure("no answer")
    report = health.report()
    assert (report.failure, report.failing_since) == ("no answer", START)
    assert caplog.messages == ["nats fails: refused"]


async def test_accepted_data_ends_a_failure(health: DestinationHealth, caplog: pytest.LogCaptureFixture) -> None:
    health.record_failure("refused")
    await at(1)
    for _ in range(2):
        health.record_sent("quotes", 3)
    health.record_dropped("bars", 2)
    assert health.report() == DestinationReport(
        name="nats", failure=None, failing_since=None, last_sent_at=LATER, sent={"quotes": 6}, dropped={"bars": 2}
    )
    assert caplog.messages == ["nats fails: refused", "nats recovered"]


async def test_each_destination_has_one_health() -> None:
    healths = DestinationHealths(Instruments(now))
    assert healths.health_of("nats") is healths.health_of("nats")
    healths.health_of("webhook").record_failure("refused")
    assert [(each.name, each.failure) for each in healths.reports()] == [("nats", None), ("webhook", "refused")]
