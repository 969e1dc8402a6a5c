from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_runtime.domain.market_hours import (
    MarketState,
    always_open_market,
    market_hours_of_job,
    new_york_market_state,
    unknown_market,
)
from support.runtime_fakes import job_spec

OPEN_ON_MONDAY = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_the_session_begins_at_half_past_nine_and_ends_at_four() -> None:
    second = timedelta(seconds=1)
    close, next_opening = utc(11, 23, 21), utc(11, 24, 14, 30)
    assert new_york_market_state(OPEN_ON_MONDAY - second) == MarketState("closed", changes_at=OPEN_ON_MONDAY)
    assert new_york_market_state(OPEN_ON_MONDAY) == MarketState("open", OPEN_ON_MONDAY, close)
    assert new_york_market_state(close - second) == MarketState("open", OPEN_ON_MONDAY, close)
    assert new_york_market_state(close) == MarketState("closed", changes_at=next_opening)


def test_in_summer_it_begins_an_hour_earlier_for_the_rest_of_the_world() -> None:
    assert new_york_market_state(utc(7, 1, 13, 30)) == MarketState("open", utc(7, 1, 13, 30), utc(7, 1, 20))
    assert new_york_market_state(utc(7, 1, 20)) == MarketState("closed", changes_at=utc(7, 2, 13, 30))


@pytest.mark.parametrize("day", [21, 22, 26, 28, 29])
def test_weekends_and_thanksgiving_have_no_session(day: int) -> None:
    assert {new_york_market_state(utc(11, day, hour)).phase for hour in range(24)} == {"closed"}


def test_the_day_after_thanksgiving_ends_at_one() -> None:
    assert new_york_market_state(utc(11, 27, 17, 59)).changes_at == utc(11, 27, 18)
    assert new_york_market_state(utc(11, 27, 18)).phase == "closed"


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        (utc(11, 20, 21), OPEN_ON_MONDAY),  # a weekend
        (utc(11, 25, 21), utc(11, 27, 14, 30)),  # Thanksgiving
        (utc(3, 6, 21), utc(3, 9, 13, 30)),  # clocks advance on the Sunday
        (utc(10, 30, 20), utc(11, 2, 14, 30)),  # clocks go back on the Sunday
        (utc(12, 24, 18), utc(12, 28, 14, 30)),  # a half day, Christmas and a weekend
    ],
)
def test_a_closed_market_opens_on_the_next_trading_day(at: datetime, opening: datetime) -> None:
    assert new_york_market_state(at) == MarketState("closed", changes_at=opening)


def test_the_next_opening_is_unknown_after_the_last_day_of_the_table() -> None:
    after_the_last_close = datetime(2031, 12, 31, 22, tzinfo=UTC)
    assert new_york_market_state(after_the_last_close) == MarketState("closed")


def test_the_zone_of_an_instant_does_not_matter() -> None:
    elsewhere = OPEN_ON_MONDAY.astimezone(tz=None)
    assert new_york_market_state(elsewhere) == new_york_market_state(OPEN_ON_MONDAY)


@pytest.mark.parametrize("year", [1999, 2024, 2032, 2100])
def test_the_session_of_a_date_out_of_the_table_is_unknown(year: int) -> None:
    assert new_york_market_state(datetime(year, 6, 15, 15, tzinfo=UTC)) == MarketState("unknown")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"provider": "alpaca", "alpaca": {"feed": "iex"}}, new_york_market_state),
        ({"provider": "alpaca", "alpaca": {"feed": "sip"}}, new_york_market_state),
        ({"provider": "alpaca", "alpaca": {"feed": "delayed_sip"}}, new_york_market_state),
        ({"provider": "alpaca", "alpaca": {"feed": "test"}}, always_open_market),
        ({"provider": "alpaca", "alpaca": {"feed": "overnight"}}, unknown_market),
        ({"provider": "alpaca", "alpaca": {"feed": "boats"}}, unknown_market),
        ({"provider": "ibkr", "ibkr": {"host": "gateway"}}, new_york_market_state),
        ({"provider": "synthetic"}, always_open_market),
        ({"provider": "replay"}, unknown_market),
    ],
)
def test_each_provider_and_feed_has_its_hours(spec: dict[str, Any], expected: object) -> None:
    if "alpaca" in spec:
        spec = {**spec, "alpaca": {**spec["alpaca"], "credentialsSecretRef": {"name": "alpaca"}}}
    assert market_hours_of_job(job_spec(**spec)) is expected


def test_simulated_quotes_have_no_market_hours() -> None:
    assert market_hours_of_job(job_spec(provider="alpaca", dryRun=True)) is always_open_market


def test_no_market_without_hours_opens_or_closes() -> None:
    assert (always_open_market(OPEN_ON_MONDAY), unknown_market(OPEN_ON_MONDAY)) == (
        MarketState("open"),
        MarketState("unknown"),
    )
