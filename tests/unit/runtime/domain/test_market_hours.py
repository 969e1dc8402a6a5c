from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_runtime.domain.market_hours import (
    MarketSession,
    always_open_session,
    market_hours_of_job,
    new_york_session,
    unknown_session,
)
from support.runtime_fakes import job_spec

OPEN_ON_MONDAY = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_the_session_begins_at_half_past_nine_and_ends_at_four() -> None:
    second = timedelta(seconds=1)
    assert new_york_session(OPEN_ON_MONDAY - second) == MarketSession("closed")
    assert new_york_session(OPEN_ON_MONDAY) == MarketSession("open", OPEN_ON_MONDAY)
    assert new_york_session(utc(11, 23, 21) - second) == MarketSession("open", OPEN_ON_MONDAY)
    assert new_york_session(utc(11, 23, 21)) == MarketSession("closed")


def test_in_summer_it_begins_an_hour_earlier_for_the_rest_of_the_world() -> None:
    assert new_york_session(utc(7, 1, 13, 30)) == MarketSession("open", utc(7, 1, 13, 30))
    assert new_york_session(utc(7, 1, 20)).phase == "closed"


@pytest.mark.parametrize("day", [21, 22, 26, 28, 29])
def test_weekends_and_thanksgiving_have_no_session(day: int) -> None:
    assert {new_york_session(utc(11, day, hour)).phase for hour in range(24)} == {"closed"}


def test_the_day_after_thanksgiving_ends_at_one() -> None:
    assert new_york_session(utc(11, 27, 17, 59)).phase == "open"
    assert new_york_session(utc(11, 27, 18)).phase == "closed"


def test_the_zone_of_an_instant_does_not_matter() -> None:
    elsewhere = OPEN_ON_MONDAY.astimezone(tz=None)
    assert new_york_session(elsewhere) == new_york_session(OPEN_ON_MONDAY)


@pytest.mark.parametrize("year", [1999, 2024, 2032, 2100])
def test_the_session_of_a_date_out_of_the_table_is_unknown(year: int) -> None:
    assert new_york_session(datetime(year, 6, 15, 15, tzinfo=UTC)) == MarketSession("unknown")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"provider": "alpaca", "alpaca": {"feed": "iex"}}, new_york_session),
        ({"provider": "alpaca", "alpaca": {"feed": "sip"}}, new_york_session),
        ({"provider": "alpaca", "alpaca": {"feed": "delayed_sip"}}, new_york_session),
        ({"provider": "alpaca", "alpaca": {"feed": "test"}}, always_open_session),
        ({"provider": "alpaca", "alpaca": {"feed": "overnight"}}, unknown_session),
        ({"provider": "alpaca", "alpaca": {"feed": "boats"}}, unknown_session),
        ({"provider": "ibkr", "ibkr": {"host": "gateway"}}, new_york_session),
        ({"provider": "synthetic"}, always_open_session),
        ({"provider": "replay"}, unknown_session),
    ],
)
def test_each_provider_and_feed_has_its_hours(spec: dict[str, Any], expected: object) -> None:
    if "alpaca" in spec:
        spec = {**spec, "alpaca": {**spec["alpaca"], "credentialsSecretRef": {"name": "alpaca"}}}
    assert market_hours_of_job(job_spec(**spec)) is expected


def test_simulated_quotes_have_no_market_hours() -> None:
    assert market_hours_of_job(job_spec(provider="alpaca", dryRun=True)) is always_open_session


def test_no_market_without_hours_opens_or_closes() -> None:
    assert (always_open_session(OPEN_ON_MONDAY), unknown_session(OPEN_ON_MONDAY)) == (
        MarketSession("open"),
        MarketSession("unknown"),
    )
