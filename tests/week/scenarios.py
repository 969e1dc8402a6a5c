"""The scenarios: when the market is watched closely, which faults are injected, and what must be reported.

All times are of New York. Between two windows the clock advances in steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sluice_simulators.alpaca.faults import StreamFault
from sluice_simulators.alpaca.stream_faults import Mute, Reset, SlowClient
from week.exchange import NEW_YORK
from week.market import BUSY_SYMBOLS
from week.reports import ExpectedReport, Report
from week.world import World

Action = Callable[[World], Awaitable[None]]


class Window(NamedTuple):
    """A period that runs at the speed of the loop."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Fault:
    """A fault that lasts from `begins` to `ends`, and the reports that it must cause. It causes no others."""

    name: str
    begins: datetime
    ends: datetime
    begin: Action
    end: Action
    reports: tuple[ExpectedReport, ...] = field(default=())


@dataclass(frozen=True)
class Scenario:
    """Windows and faults in the order of time, and the phases of the market that the heartbeat shows in the windows."""

    windows: tuple[Window, ...]
    faults: tuple[Fault, ...]
    phases: tuple[str, ...]


def new_york(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    """Return a time of November 2026 in New York."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=NEW_YORK)


async def _nothing(_: World) -> None:
    return


def _expected(report: Report, begins: datetime, ends: datetime, appears: float, ends_within: float) -> ExpectedReport:
    return ExpectedReport(report, begins, ends, timedelta(seconds=appears), timedelta(seconds=ends_within))


def renamed_symbol(begins: datetime, ends: datetime) -> Fault:
    """A symbol that the provider acknowledges and never quotes. It is named whenever the market is open."""
    report = Report("unheard", "FB")
    whole = (ends - begins).total_seconds()
    return Fault("renamed symbol", begins, ends, _nothing, _nothing, (_expected(report, begins, ends, whole, 60),))


def stub_quotes(begins: datetime) -> Fault:
    """Market makers quote 0.01 to 199,999.99 for three minutes."""
    ends = begins + timedelta(minutes=3)

    async def begin(world: World) -> None:
        world.market.stub_quotes.add("ABC")

    async def end(world: World) -> None:
        world.market.stub_quotes.discard("ABC")

    return Fault("stub quotes", begins, ends, begin, end, (_expected(Report("no price", "ABC"), begins, ends, 20, 20),))


def canceled_trade(begins: datetime) -> Fault:
    """A trade far from the market, which the exchange cancels after ten seconds."""
    ends = begins + timedelta(seconds=10)

    async def begin(world: World) -> None:
        world.wrong_trade = world.market.next_trade(150.0)
        await world.server.send([world.market.trade_message(world.wrong_trade)])

    async def end(world: World) -> None:
        if world.wrong_trade is not None:
            await world.server.send([world.market.cancellation_message(world.wrong_trade)])

    expected = _expected(Report("price far from the market", "XYZ"), begins, ends, 10, 15)
    return Fault("canceled trade", begins, ends, begin, end, (expected,))


def halt(begins: datetime) -> Fault:
    """A trading halt of four minutes."""
    ends = begins + timedelta(minutes=4)

    async def begin(world: World) -> None:
        world.market.halted.add("AAPL")
        await world.server.send([world.market.trading_status_message("AAPL", "H")])

    async def end(world: World) -> None:
        world.market.halted.discard("AAPL")
        await world.server.send([world.market.trading_status_message("AAPL", "T")])

    reports = tuple(
        _expected(Report(kind, "AAPL"), begins, ends, 20, 20) for kind in ("halted", "document halted", "no price")
    )
    return Fault("trading halt", begins, ends, begin, end, reports)


def silent_symbol(begins: datetime) -> Fault:
    """One busy symbol of many goes silent for five minutes."""
    ends = begins + timedelta(minutes=5)

    async def begin(world: World) -> None:
        world.market.silent.add("SPY")

    async def end(world: World) -> None:
        world.market.silent.discard("SPY")

    reports = tuple(_expected(Report(kind, "SPY"), begins, ends, 200, 20) for kind in ("stale", "document stale"))
    return Fault("silent symbol", begins, ends, begin, end, reports)


def clock_step(begins: datetime) -> Fault:
    """The clock of the runtime's node falls 30 s behind for five minutes."""
    ends = begins + timedelta(minutes=5)

    async def begin(world: World) -> None:
        world.clock.runtime_is_ahead = timedelta(seconds=-30)

    async def end(world: World) -> None:
        world.clock.runtime_is_ahead = timedelta()

    return Fault("clock step", begins, ends, begin, end, (_expected(Report("clock skew"), begins, ends, 150, 150),))


def firestore_outage(begins: datetime) -> Fault:
    """Firestore cannot be reached for two minutes."""
    ends = begins + timedelta(minutes=2)

    async def begin(world: World) -> None:
        world.firestore_relay.pause()

    async def end(world: World) -> None:
        world.firestore_relay.resume()

    expected = _expected(Report("sink failure"), begins, ends, 100, 100)
    return Fault("Firestore outage", begins, ends, begin, end, (expected,))


class ConnectionFault(NamedTuple):
    """A fault of the provider's connection: its gap and its failure, and the seconds until it is found."""

    name: str
    stream_fault: StreamFault
    gap_cause: str
    failure_type: str
    found_within: float


MUTE = ConnectionFault("mute connection", Mute(), "stall", "stall", 200)
HALF_OPEN = ConnectionFault("half-open connection", Mute(pongs=False), "stall", "stall", 60)
RESET = ConnectionFault("connection reset", Reset(), "disconnect", "upstreamClosed", 5)
SLOW_CLIENT = ConnectionFault("slow client", SlowClient(), "slowClient", "slowClient", 5)


def lost_connection(fault: ConnectionFault, begins: datetime) -> Fault:
    """The connection is lost. Its gap is reported with the cause.

    Until the stream is live again, its failure may be shown, and the busy symbols may be stale.
    """
    ends = begins + timedelta(seconds=fault.found_within)

    async def begin(world: World) -> None:
        await world.server.inject(fault.stream_fault)

    # The gap of a silent connection begins with the last message.
    earlier = begins - timedelta(seconds=60)
    gap = _expected(Report("gap", fault.gap_cause), earlier, ends, fault.found_within + 60, 30)
    shown = [Report("failure", fault.failure_type)]
    shown += [Report(kind, symbol) for kind in ("stale", "document stale") for symbol in BUSY_SYMBOLS]
    possible = [_expected(each, begins, ends, fault.found_within, 30) for each in shown]
    reports = (gap, *(each._replace(is_required=False) for each in possible))
    return Fault(fault.name, begins, ends, begin, _nothing, reports)


def holiday_week() -> Scenario:
    """Return the week of Thanksgiving from Wednesday to Monday, with twelve faults."""
    windows = (
        Window(new_york(25, 9, 20), new_york(25, 10, 20)),
        Window(new_york(25, 15, 50), new_york(25, 16, 10)),
        Window(new_york(26, 10, 0), new_york(26, 10, 10)),
        Window(new_york(27, 9, 25), new_york(27, 9, 50)),
        Window(new_york(27, 12, 50), new_york(27, 13, 10)),
        Window(new_york(28, 11, 0), new_york(28, 11, 5)),
        Window(new_york(30, 9, 25), new_york(30, 9, 55)),
    )
    faults = (
        renamed_symbol(windows[0].begins, windows[-1].ends),
        stub_quotes(new_york(25, 9, 45)),
        canceled_trade(new_york(25, 9, 50)),
        halt(new_york(25, 9, 55)),
        lost_connection(MUTE, new_york(25, 10, 5)),
        lost_connection(RESET, new_york(25, 15, 52)),
        clock_step(new_york(27, 9, 35)),
        lost_connection(HALF_OPEN, new_york(27, 9, 46)),
        silent_symbol(new_york(27, 12, 53)),
        firestore_outage(new_york(30, 9, 35)),
        lost_connection(SLOW_CLIENT, new_york(30, 9, 45)),
        canceled_trade(new_york(30, 9, 50)),
    )
    return Scenario(windows, faults, phases=("open", "closed", "open", "closed", "open"))


def half_day() -> Scenario:
    """Return the end of the half day after Thanksgiving, with three faults, in 20 minutes."""
    windows = (Window(new_york(27, 12, 45), new_york(27, 13, 5)),)
    faults = (
        renamed_symbol(windows[0].begins, windows[0].ends),
        stub_quotes(new_york(27, 12, 49)),
        lost_connection(RESET, new_york(27, 12, 55)),
    )
    return Scenario(windows, faults, phases=("open",))
