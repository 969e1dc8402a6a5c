import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import aiohttp
import exchange_calendars
import pytest

from sluice_simulators.alpaca import AlpacaServer
from sluice_simulators.alpaca.trading_days import TradingDays

FIRST, LAST = date(2025, 1, 1), date(2031, 12, 31)
HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer() as running:
        yield running


async def get_calendar(server: AlpacaServer, **query: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.http_url}/v2/calendar", params=query, headers=HEADERS) as answer,
    ):
        assert answer.status == 200
        return await answer.json()


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # the library itself uses pandas
def test_the_rules_give_the_trading_days_and_half_days_of_a_calendar_library() -> None:
    library = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end=str(LAST))
    days = TradingDays()
    days.closed.add(date(2025, 1, 9))  # a day of mourning, which follows no rule
    every = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    trading_days = [day for day in every if days.is_trading_day(day)]
    assert trading_days == [each.date() for each in library.sessions]
    assert [day for day in trading_days if days.is_half_day(day)] == [each.date() for each in library.early_closes]


async def test_the_calendar_has_the_documented_fields(server: AlpacaServer) -> None:
    assert await get_calendar(server, start="2026-11-25", end="2026-11-27") == [
        {
            "date": "2026-11-25",
            "open": "09:30",
            "close": "16:00",
            "session_open": "0400",
            "session_close": "2000",
            "settlement_date": "2026-11-27",
        },
        {
            "date": "2026-11-27",
            "open": "09:30",
            "close": "13:00",
            "session_open": "0400",
            "session_close": "1700",
            "settlement_date": "2026-11-30",
        },
    ]
    assert server.rest.requested_calendars == [(date(2026, 11, 25), date(2026, 11, 27))]


async def test_a_closure_is_added_through_the_control_route(server: AlpacaServer) -> None:
    body = {"closed": ["2026-11-25"], "early_closes": ["2026-11-24"]}
    async with aiohttp.ClientSession() as session, session.post(f"{server.http_url}/_calendar", json=body) as answer:
        assert answer.status == 200
    days = await get_calendar(server, start="2026-11-24", end="2026-11-26")
    assert [(each["date"], each["close"]) for each in days] == [("2026-11-24", "13:00")]


async def test_a_day_that_is_no_date_is_refused(server: AlpacaServer) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.http_url}/v2/calendar", params={"start": "today"}, headers=HEADERS) as answer,
    ):
        assert answer.status == 422


@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
async def test_the_vendor_s_own_client_reads_the_calendar(server: AlpacaServer) -> None:
    from alpaca.trading.client import TradingClient
    from alpaca.trading.requests import GetCalendarRequest

    client = TradingClient("key", "secret", url_override=server.http_url)
    request = GetCalendarRequest(start=date(2026, 11, 26), end=date(2026, 11, 30))
    days: Any = await asyncio.to_thread(client.get_calendar, request)
    assert [(each.date, each.open.hour, each.close.hour) for each in days] == [
        (date(2026, 11, 27), 9, 13),
        (date(2026, 11, 30), 9, 16),
    ]
    every: Any = await asyncio.to_thread(client.get_calendar)
    assert every[-1].date == date(2029, 12, 31)
