"""The report of a wrong clock. The clock of the node can be stepped while the monitor runs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.heartbeat_document import heartbeat_document
from sluice_runtime.loops.clock_monitor import monitor_clock_forever
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, identity
from support.virtual_time import START, at, now, seconds


class Node:
    """A node whose clock is `error` seconds ahead, and a provider whose clock is right."""

    def __init__(self) -> None:
        self.error = 0.0
        self.runtime = RuntimeState(identity(), LatestValue(desired()), Coalescer(), self.clock)

    def clock(self) -> datetime:
        return now() + timedelta(seconds=self.error)

    def provider_now(self) -> datetime:
        """Return the provider's time, as far as the runtime knows it."""
        return self.runtime.market.activity.provider_time(self.clock(), seconds())

    def receive_date(self) -> None:
        stated = now().replace(microsecond=0)
        self.runtime.stream.on_provider_time(
            ClockReading(
                earliest=stated, latest=stated + timedelta(seconds=1), sent_at=seconds(), received_at=seconds()
            )
        )


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    found = Node()
    task = asyncio.create_task(monitor_clock_forever(found.runtime.market.activity, found.runtime.instruments))
    yield found
    await cancel_and_wait(task)


async def test_a_clock_that_is_right_is_not_reported(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.receive_date()
    await at(3600)
    assert caplog.text == ""


@pytest.mark.parametrize(("error", "words"), [(-30.0, "s behind the provider's"), (30.0, "s ahead of the provider's")])
async def test_a_wrong_clock_is_reported_once_with_what_to_do(
    node: Node, caplog: pytest.LogCaptureFixture, error: float, words: str
) -> None:
    node.error = error
    node.receive_date()
    before = node.runtime.transitions.value
    await at(3600)
    assert caplog.text.count(words) == 1
    assert caplog.text.count("run NTP") == 1
    assert node.runtime.transitions.value == before + 1
    status, heartbeat = stream_status(node.runtime.snapshot()), heartbeat_document(node.runtime.snapshot())
    assert status.clock_skew_milliseconds is not None
    assert abs(status.clock_skew_milliseconds - error * 1000) <= 600
    assert heartbeat.clock_skew_ms == status.clock_skew_milliseconds


@pytest.mark.parametrize("step", [-3600.0, 3600.0, 3.0])
async def test_a_step_of_the_clock_is_reported_and_so_is_its_correction(
    node: Node, caplog: pytest.LogCaptureFixture, step: float
) -> None:
    caplog.set_level("INFO")
    node.receive_date()
    await at(60)
    node.error = step
    await at(70)
    assert caplog.text.count("run NTP") == 1
    assert abs((node.provider_now() - START).total_seconds() - 70) <= 1
    node.error = 0.0
    await at(80)
    assert caplog.text.count("agrees with the provider's again") == 1


async def test_an_unknown_skew_is_neither_reported_nor_corrected(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.error = -30.0
    await at(60)
    assert caplog.text == ""
    assert node.provider_now() == node.clock()
    assert stream_status(node.runtime.snapshot()).clock_skew_milliseconds is None
