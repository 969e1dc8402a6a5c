from datetime import UTC, date, datetime

import msgspec
import pytest

from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS, REGULAR_HOURS, MarketSchedule
from sluice_runtime.domain.trading_calendar import TradingCalendar, TradingDay
from sluice_runtime.loops.market_clock import MarketClock
from support.runtime_fakes import desired

EARLY = datetime(2026, 11, 23, 13, tzinfo=UTC)  # 08:00 in New York
REGULAR = datetime(2026, 11, 23, 15, tzinfo=UTC)


def clock(schedule: MarketSchedule) -> MarketClock:
    return MarketClock(LatestValue(msgspec.structs.replace(desired(), market_schedule=schedule)))


def test_a_change_of_the_sessions_takes_effect_at_once() -> None:
    wanted = LatestValue(msgspec.structs.replace(desired(), market_schedule=REGULAR_HOURS))
    market = MarketClock(wanted)
    assert market.state_at(EARLY).phase == "closed"
    wanted.set(msgspec.structs.replace(desired(), market_schedule=REGULAR_AND_EXTENDED_HOURS))
    assert (market.state_at(EARLY).phase, market.state_at(EARLY).session) == ("open", "extended")


def test_a_calendar_can_be_replaced() -> None:
    market = clock(REGULAR_HOURS)
    days = [TradingDay(day=date(2026, 11, 24))]
    market.calendar = TradingCalendar().with_vendor_days(date(2026, 11, 23), days)
    state = market.state_at(REGULAR)
    assert (state.phase, state.changes_at) == ("closed", datetime(2026, 11, 24, 14, 30, tzinfo=UTC))


def test_no_quotes_are_expected_of_a_market_without_trading_until_a_quote_arrives() -> None:
    market = clock(REGULAR_AND_EXTENDED_HOURS)
    market.presume_closed(REGULAR)
    state = market.state_at(REGULAR)
    assert (state.phase, state.session, state.is_presumed_closed, state.expects_quotes) == (
        "open",
        "regular",
        True,
        False,
    )
    market.end_presumption()
    assert (market.state_at(REGULAR).is_presumed_closed, market.state_at(REGULAR).expects_quotes) == (False, True)


def test_quotes_are_expected_again_in_the_next_session() -> None:
    market = clock(REGULAR_AND_EXTENDED_HOURS)
    market.presume_closed(EARLY)
    assert not market.state_at(EARLY).expects_quotes
    assert market.state_at(REGULAR).expects_quotes


@pytest.mark.parametrize("phase", ["open", "unknown"])
def test_a_market_without_sessions_is_never_presumed_closed(phase: str) -> None:
    market = clock(MarketSchedule(constant_phase=phase))  # type: ignore[arg-type]
    market.presume_closed(REGULAR)
    assert (market.state_at(REGULAR).phase, market.state_at(REGULAR).is_presumed_closed) == (phase, False)


def test_the_next_quotes_follow_the_schedule_of_the_job_and_the_newest_calendar() -> None:
    market = clock(REGULAR_HOURS)
    assert market.next_quotes_at(EARLY) == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert market.next_quotes_at(REGULAR) is None
    market.calendar = TradingCalendar().with_vendor_days(date(2026, 11, 23), [TradingDay(day=date(2026, 11, 24))])
    assert market.next_quotes_at(REGULAR) == datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def test_the_open_seconds_follow_the_calendar() -> None:
    market = clock(REGULAR_HOURS)
    midnight = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert market.open_seconds_between(midnight, datetime(2026, 11, 24, 8, tzinfo=UTC)) == 6.5 * 3600
    assert market.open_seconds_between(REGULAR, datetime(2026, 11, 23, 16, tzinfo=UTC)) == 3600
