import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.market_hours import ALWAYS_OPEN, REGULAR_HOURS, MarketSchedule
from sluice_runtime.domain.nyse_sessions import LAST
from sluice_runtime.domain.trading_calendar import CalendarError, TradingCalendar, TradingDay
from sluice_runtime.loop_wiring import stream_parts
from sluice_runtime.loops.market_calendar import MarketCalendarLoop
from sluice_runtime.loops.market_clock import MarketClock
from support.runtime_fakes import desired, runtime_state
from support.virtual_time import START, at, now, seconds

DAY = 86_400.0
CLOSED_DAY = START.date() + timedelta(days=1)


class FakeCalendar:
    """A provider's calendar without weekends; `closed` has its days without trading."""

    def __init__(self) -> None:
        self.closed: set[date] = set()
        self.failure = ""
        self.requests: list[tuple[float, date, date]] = []

    async def fetch_trading_days(self, first: date, last: date) -> Sequence[TradingDay]:
        self.requests.append((round(seconds()), first, last))
        if self.failure:
            raise CalendarError(self.failure)
        days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
        table = TradingCalendar()
        return [found for day in days if day not in self.closed and (found := table.trading_day(day))]


class World:
    """A live stream whose market has regular hours."""

    def __init__(self, schedule: MarketSchedule = REGULAR_HOURS, clock: Callable[[], datetime] = now) -> None:
        self.vendor = FakeCalendar()
        self.runtime = runtime_state(msgspec.structs.replace(desired(), market_schedule=schedule), clock)
        self.market = MarketClock(self.runtime.desired)
        self.runtime.stream.on_state("Live")

    @asynccontextmanager
    async def running(self, *, has_calendar: bool = True) -> AsyncIterator[None]:
        backoff = Backoff(60.0, 3600.0, lambda _, high: high)
        fetch = self.vendor.fetch_trading_days if has_calendar else None
        task = asyncio.create_task(MarketCalendarLoop(fetch, self.market, stream_parts(self.runtime), backoff).run())
        try:
            yield
        finally:
            await cancel_and_wait(task)


async def test_the_calendar_is_requested_once_a_day_for_60_days() -> None:
    world = World()
    async with world.running():
        await at(2 * DAY + 1)
    first = START.date() - timedelta(days=1)
    assert world.vendor.requests == [
        (count * DAY, first + timedelta(days=count), first + timedelta(days=count + 60)) for count in range(3)
    ]


async def test_a_closure_at_short_notice_is_known_a_day_later(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    noon = datetime.combine(CLOSED_DAY, datetime.min.time(), UTC) + timedelta(hours=17)
    with caplog.at_level(logging.INFO):
        async with world.running():
            await at(1)
            assert world.market.state_at(noon).phase == "open"
            world.vendor.closed.add(CLOSED_DAY)
            await at(DAY + 1)
            assert world.market.state_at(noon).phase == "closed"
    assert f"it differs from this version's table on {CLOSED_DAY}" in caplog.messages[-1]


async def test_after_a_failure_the_last_calendar_counts_and_requests_continue(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.vendor.closed.add(CLOSED_DAY)
    async with world.running():
        await at(1)
        world.vendor.failure = "the calendar is away"
        await at(DAY + 3 * 3600)
    assert world.market.calendar.vendor_first == START.date() - timedelta(days=1)
    assert world.market.calendar.trading_day(CLOSED_DAY) is None
    assert [each[0] - DAY for each in world.vendor.requests[1:]] == [0, 60, 180, 420, 900, 1860, 3780, 7380]
    assert len([each for each in caplog.messages if "the calendar is away" in each]) == 1
    assert world.runtime.counters.errors == {"calendar": 8}


async def test_a_calendar_that_cannot_be_right_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.vendor.closed = {START.date() + timedelta(days=count) for count in range(-1, 61)}
    async with world.running():
        await at(1)
    assert world.market.calendar == TradingCalendar()
    assert "the vendor's calendar has no trading day" in caplog.text


async def test_nothing_is_requested_before_the_stream_is_live_or_without_sessions() -> None:
    world = World(ALWAYS_OPEN)
    world.runtime.stream.on_state("Blocked")
    async with world.running():
        await at(10)
        world.runtime.stream.on_state("Live")
        await at(20)
        assert world.vendor.requests == []
        world.runtime.updater.apply_desired(msgspec.structs.replace(desired(), market_schedule=REGULAR_HOURS))
        await at(30)
    assert [each[0] for each in world.vendor.requests] == [20]


@pytest.mark.parametrize("has_calendar", [False, True])
async def test_the_end_of_the_table_is_logged_once_a_day_from_60_days_before(
    has_calendar: bool, caplog: pytest.LogCaptureFixture
) -> None:
    begins = datetime.combine(LAST - timedelta(days=60), datetime.min.time(), UTC)
    world = World(clock=lambda: begins + timedelta(seconds=seconds() - DAY))
    async with world.running(has_calendar=has_calendar):
        await at(DAY - 1)
        assert "update Sluice" not in caplog.text
        await at(3 * DAY - 1)
    assert [each.count("update Sluice") for each in caplog.messages] == [1, 1]
