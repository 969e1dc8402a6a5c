"""Market hours, used only to interpret silence: quotes are never withheld because a market is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from sluice_contract.documents import MarketPhase
from sluice_contract.spec import IngestJobSpec, TradingSession

from .trading_calendar import TradingCalendar

NEW_YORK = ZoneInfo("America/New_York")

# The overnight session of a trading day begins on the evening before, which can be a Sunday or a holiday. Before a
# holiday or a weekend there is none. Source: Alpaca's page "24/5 Trading", as of 2026-10-12.
_OVERNIGHT_OPEN, _OVERNIGHT_CLOSE = time(20), time(4)
_DAY = timedelta(days=1)


class MarketState(msgspec.Struct, frozen=True):
    """The state of a job's market at one instant.

    `phase` is open while one of the job's sessions is open. `since` is the time at which the market opened; None if it
    is not open or never closes. `changes_at` is the time at which it next opens or closes; None if it never does, or if
    that is unknown. Sessions that follow each other without a break are one opening.

    `session` is the session that is open; None if there is none, or if the market has no sessions. `session_since` is
    its begin. `quotes_since` is the time since which the job's feed has quotes of this session: it can be later than
    `session_since`, and it is None while the feed has none. `calendar_ends_on` is the last day that the calendar
    covers; None for a market without a calendar.

    If `is_presumed_closed` is True, a session is open by the calendar, but no symbol of the job trades, by the stream
    and by the provider's REST interface: the exchanges may be closed. Silence is then no fault.
    """

    phase: MarketPhase
    since: datetime | None = None
    changes_at: datetime | None = None
    session: TradingSession | None = None
    session_since: datetime | None = None
    quotes_since: datetime | None = None
    calendar_ends_on: date | None = None
    is_presumed_closed: bool = False

    @property
    def expects_quotes(self) -> bool:
        """Return True if the feed should have quotes at this instant, so that silence can be a fault."""
        return self.phase == "open" and (self.session is None or self.quotes_since is not None)


MarketHours = Callable[[datetime], MarketState]


class MarketSchedule(msgspec.Struct, frozen=True):
    """When the market of a job is open: in `sessions` of the New York exchanges.

    A market without sessions has the same phase at all times, `constant_phase`. The quotes of a feed arrive `delay`
    after their time. A feed of one exchange has quotes only in the hours of that exchange, `exchange_hours` in New York
    time; None: the feed has quotes in all sessions.
    """

    sessions: frozenset[TradingSession] = frozenset()
    constant_phase: MarketPhase = "unknown"
    delay: timedelta = timedelta()
    exchange_hours: tuple[time, time] | None = None


ALWAYS_OPEN = MarketSchedule(constant_phase="open")
UNKNOWN_HOURS = MarketSchedule(constant_phase="unknown")
REGULAR_HOURS = MarketSchedule(frozenset({"regular"}))
REGULAR_AND_EXTENDED_HOURS = MarketSchedule(frozenset({"regular", "extended"}))
OVERNIGHT_HOURS = MarketSchedule(frozenset({"overnight"}))


def with_sessions_of_job(schedule: MarketSchedule, spec: IngestJobSpec) -> MarketSchedule:
    """Return the schedule of a feed, in the sessions of the job's spec if it names any."""
    return msgspec.structs.replace(schedule, sessions=frozenset(spec.sessions)) if spec.sessions else schedule


def regular_and_extended_hours_of_job(spec: IngestJobSpec) -> MarketSchedule:
    """Return the hours of a feed that has all quotes of the New York exchanges."""
    return with_sessions_of_job(REGULAR_AND_EXTENDED_HOURS, spec)


class _Period(msgspec.Struct, frozen=True):
    """One session of one trading day, from `begins` to `ends` (exclusive), in UTC."""

    session: TradingSession
    begins: datetime
    ends: datetime


def market_state(schedule: MarketSchedule, calendar: TradingCalendar, at: datetime) -> MarketState:
    """Return the state of a market at `at`, by `schedule` and, if it has sessions, by `calendar`.

    The state is unknown on days that the calendar does not cover.
    """
    if not schedule.sessions:
        return MarketState(schedule.constant_phase)
    at = at.astimezone(UTC)
    day = _trading_day_at(at)
    if not calendar.covers(day):
        return MarketState("unknown", calendar_ends_on=calendar.last_day)
    if (period := _period_at(schedule, calendar, at)) is not None:
        return MarketState(
            "open",
            since=_begin_of_opening(schedule, calendar, day, period),
            changes_at=_end_of_opening(schedule, calendar, day, period),
            session=period.session,
            session_since=period.begins,
            quotes_since=_quotes_since(schedule, calendar, at),
            calendar_ends_on=calendar.last_day,
        )
    changes_at = next((each.begins for each in _periods_from(schedule, calendar, day) if each.begins > at), None)
    return MarketState("closed", changes_at=changes_at, calendar_ends_on=calendar.last_day)


def next_quotes_at(schedule: MarketSchedule, calendar: TradingCalendar, at: datetime) -> datetime | None:
    """Return when the feed next has quotes, by its sessions and the hours of its exchange.

    None if it has quotes at `at`, or if the time is unknown.
    """
    at = at.astimezone(UTC)
    if not schedule.sessions or _quotes_since(schedule, calendar, at) is not None:
        return None
    for begins, ends in _feed_hours_from(schedule, calendar, at):
        if begins < ends and begins > at:
            return begins
    return None


def open_seconds_between(
    schedule: MarketSchedule, calendar: TradingCalendar, begins: datetime, ends: datetime
) -> float | None:
    """Return for how many seconds the feed has quotes between two instants, by its sessions.

    None if the market has no sessions, or if the calendar does not cover the day.
    """
    if not schedule.sessions or not calendar.covers(_trading_day_at(begins)):
        return None
    seconds = 0.0
    for opens, closes in _feed_hours_from(schedule, calendar, begins):
        if opens >= ends:
            break
        seconds += max(0.0, (min(closes, ends) - max(opens, begins)).total_seconds())
    return seconds


def _feed_hours_from(
    schedule: MarketSchedule, calendar: TradingCalendar, at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield when the quotes of each period begin and end, from the trading day of `at` on.

    The end is not later than the begin for a period in which the exchange of the feed is closed.
    """
    for period in _periods_from(schedule, calendar, _trading_day_at(at - schedule.delay)):
        day = _trading_day_at(period.begins)
        opens, closes = schedule.exchange_hours or (None, None)
        begins = max(period.begins, _utc(day, opens)) if opens else period.begins
        ends = min(period.ends, _utc(day, closes)) if closes else period.ends
        yield begins + schedule.delay, ends + schedule.delay


def _quotes_since(schedule: MarketSchedule, calendar: TradingCalendar, at: datetime) -> datetime | None:
    """Return the time since which the feed has quotes of its session at `at`; None if it has none now."""
    quoted_at = at - schedule.delay
    period = _period_at(schedule, calendar, quoted_at)
    if period is None:
        return None
    begins = period.begins
    if schedule.exchange_hours is not None:
        day, (opens, closes) = _trading_day_at(quoted_at), schedule.exchange_hours
        if not _utc(day, opens) <= quoted_at < _utc(day, closes):
            return None
        begins = max(begins, _utc(day, opens))
    return begins + schedule.delay


def _period_at(schedule: MarketSchedule, calendar: TradingCalendar, at: datetime) -> _Period | None:
    """Return the period that contains `at`; None if there is none."""
    for period in _periods(schedule, calendar, _trading_day_at(at)):
        if period.begins <= at < period.ends:
            return period
    return None


def market_hours(schedule: MarketSchedule, calendar: TradingCalendar | None = None) -> MarketHours:
    """Return the function that computes the state of a market; without `calendar`, by the table of this version."""
    known = calendar or TradingCalendar()
    return lambda at: market_state(schedule, known, at)


def _trading_day_at(at: datetime) -> date:
    """Return the day to which an instant belongs: from 20:00 in New York on, that is the next day."""
    local = at.astimezone(NEW_YORK)
    return local.date() + _DAY if local.time() >= _OVERNIGHT_OPEN else local.date()


def _periods(schedule: MarketSchedule, calendar: TradingCalendar, day: date) -> list[_Period]:
    """Return the periods of one trading day in the sessions of the schedule, in order."""
    hours = calendar.trading_day(day)
    if hours is None:
        return []
    bounds: tuple[tuple[TradingSession, date, time, time], ...] = (
        ("overnight", day - _DAY, _OVERNIGHT_OPEN, _OVERNIGHT_CLOSE),
        ("extended", day, hours.extended_opens, hours.opens),
        ("regular", day, hours.opens, hours.closes),
        ("extended", day, hours.closes, hours.extended_closes),
    )
    periods = [
        _Period(session, _utc(first_day, begins), _utc(day, ends))
        for session, first_day, begins, ends in bounds
        if session in schedule.sessions
    ]
    return [each for each in periods if each.begins < each.ends]


def _periods_from(schedule: MarketSchedule, calendar: TradingCalendar, day: date) -> Iterator[_Period]:
    """Yield the periods of `day` and of all later days that the calendar covers."""
    while calendar.covers(day):
        yield from _periods(schedule, calendar, day)
        day += _DAY


def _end_of_opening(schedule: MarketSchedule, calendar: TradingCalendar, day: date, period: _Period) -> datetime:
    """Return the end of `period`, or of the last of the periods that follow it without a break."""
    ends = period.ends
    for later in _periods_from(schedule, calendar, day):
        if later.begins > ends:
            break
        ends = max(ends, later.ends)
    return ends


def _begin_of_opening(schedule: MarketSchedule, calendar: TradingCalendar, day: date, period: _Period) -> datetime:
    """Return the begin of `period`, or of the first of the periods that precede it without a break."""
    begins = period.begins
    while True:
        earlier = _periods(schedule, calendar, day)
        for each in reversed(earlier):
            if each.begins < begins <= each.ends:
                begins = each.begins
        if not earlier or earlier[0].begins < begins:
            return begins
        day -= _DAY


@lru_cache(maxsize=64)  # the same few instants are needed at each observation
def _utc(day: date, local_time: time) -> datetime:
    """Return the instant of a local time in New York. Clocks change on Sunday at 2:00, when no session is open."""
    return datetime.combine(day, local_time, NEW_YORK).astimezone(UTC)
