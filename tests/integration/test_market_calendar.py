"""Trading days from the calendar of the Alpaca simulator, alone and in a pod with a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.app import RuntimeParts, create_calendar_loop, run_loops_and_shut_down
from sluice_runtime.domain.desired import UNREAD, with_pause
from sluice_runtime.domain.market_hours import NEW_YORK, REGULAR_HOURS, market_hours
from sluice_runtime.domain.trading_calendar import CalendarError, TradingDay
from sluice_runtime.loops.market_clock import MarketClock
from sluice_runtime.providers.alpaca import rest
from sluice_runtime.providers.alpaca.calendar import AlpacaCalendar
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_simulators.alpaca import Account, AlpacaServer
from support.alpaca_provider import SECRET, mount, source
from support.deadlines import wait_for
from support.eventually import eventually
from support.fake_sink import FakeSink
from support.pod import LIMITS, ShortBackoff
from support.runtime_fakes import FakeJob, desired, identity, job, runtime_state

WEDNESDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 27)


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running


def calendar(folder: Path, url: str | None, key: str = "key") -> AlpacaCalendar:
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    return AlpacaCalendar(CredentialsReader(settings, mount(folder, key, SECRET), None), url)


async def test_the_trading_days_have_regular_and_extended_hours(server: AlpacaServer, tmp_path: Path) -> None:
    found = await calendar(tmp_path, server.http_url).fetch_trading_days(WEDNESDAY, FRIDAY)
    assert found == [TradingDay(day=WEDNESDAY), TradingDay(day=FRIDAY, closes=time(13), extended_closes=time(17))]


async def test_an_unscheduled_closure_is_not_among_the_trading_days(server: AlpacaServer, tmp_path: Path) -> None:
    server.rest.trading_days.closed.add(WEDNESDAY)
    found = await calendar(tmp_path, server.http_url).fetch_trading_days(WEDNESDAY, FRIDAY)
    assert [each.day for each in found] == [FRIDAY]


async def answering(body: bytes) -> TestServer:
    """Return a server that answers each request for the calendar with `body`."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/v2/calendar", answer)
    return TestServer(application)


async def fetch(folder: Path, body: bytes) -> Any:
    async with await answering(body) as server:
        return await calendar(folder, str(server.make_url("/")).rstrip("/")).fetch_trading_days(WEDNESDAY, FRIDAY)


async def test_days_without_extended_hours_have_the_usual_ones(tmp_path: Path) -> None:
    body = (
        b'[{"date":"2026-11-25","open":"09:30","close":"16:00"},{"date":"2026-11-27","open":"09:30","close":"13:00"}]'
    )
    found = await fetch(tmp_path, body)
    assert [(each.extended_opens, each.extended_closes) for each in found] == [
        (time(4), time(20)),
        (time(4), time(17)),
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "cannot be parsed"),
        (b"{}", "cannot be parsed"),
        (b'[{"date":"someday","open":"09:30","close":"16:00"}]', "cannot be parsed"),
        (b"[" * 100_000, "cannot be parsed"),
        (b'[{"date":"2026-11-25","open":"24:30","close":"16:00"}]', "malformed time for 2026-11-25"),
        (b'[{"date":"2026-11-25","open":"","close":"16:00"}]', "malformed time for 2026-11-25"),
    ],
    ids=range(6),
)
async def test_an_invalid_answer_is_reported(body: bytes, text: str, tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=text):
        await fetch(tmp_path, body)


async def test_a_refused_key_and_an_absent_server_are_reported_without_the_secret(
    server: AlpacaServer, tmp_path: Path
) -> None:
    for key, url, text in (
        ("unknown", server.http_url, "HTTP 401"),
        ("key", "http://127.0.0.1:9", "cannot be reached"),
        ("key", "https://host..example", "cannot be reached"),
    ):
        with pytest.raises(CalendarError, match=text) as refused:
            await calendar(tmp_path, url, key).fetch_trading_days(WEDNESDAY, FRIDAY)
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("key", "host"), [("PKTEST", "PAPER_TRADING_HOST"), ("AKTEST", "LIVE_TRADING_HOST")])
async def test_without_a_url_the_host_is_that_of_the_key(
    server: AlpacaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, host: str
) -> None:
    for name in ("PAPER_TRADING_HOST", "LIVE_TRADING_HOST"):
        monkeypatch.setattr(rest, name, server.http_url if name == host else "http://127.0.0.1:9")
    server.accounts.add(Account(key, SECRET))
    assert len(await calendar(tmp_path, None, key).fetch_trading_days(WEDNESDAY, FRIDAY)) == 2


async def test_without_a_secret_nothing_is_requested(tmp_path: Path) -> None:
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    reader = CredentialsReader(settings, tmp_path, None)
    with pytest.raises(CalendarError, match="there is no key pair for Alpaca yet"):
        await AlpacaCalendar(reader, None).fetch_trading_days(WEDNESDAY, FRIDAY)


class World:
    """A pod that streams AAPL and MSFT from the simulator, and whose clock says an hour after the next opening."""

    def __init__(self, server: AlpacaServer, folder: Path, calendar_key: str = "key") -> None:
        now = datetime.now(UTC)
        state = market_hours(REGULAR_HOURS)(now + timedelta(days=1))
        opening = state.since or state.changes_at
        assert opening is not None
        self._ahead = opening + timedelta(hours=1) - now
        self.day = opening.astimezone(NEW_YORK).date()
        alpaca = {"feed": "iex", "credentialsSecretRef": {"name": "alpaca"}}
        self._job = job(1, provider="alpaca", alpaca=alpaca, symbols=["AAPL", "MSFT"], limits=LIMITS)
        folders = [folder / name for name in ("stream", "calendar")]
        for each in folders:
            each.mkdir()
        self._source = source(server.url(), mount(folders[0], "key", SECRET))
        self.runtime = runtime_state(
            with_pause(desired(), UNREAD), lambda: datetime.now(UTC) + self._ahead, identity(provider="alpaca")
        )
        self.market = MarketClock(self.runtime.desired)
        self.sink = FakeSink()
        self._calendar = calendar(folders[1], server.http_url, calendar_key)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop, loop = asyncio.Event(), create_calendar_loop(self._calendar, self.market, self.runtime)
        parts = RuntimeParts(
            source=self._source,
            sink=self.sink,
            job=FakeJob(self._job),
            runtime=self.runtime,
            market=self.market,
            other_loops=[loop],
        )
        task = asyncio.create_task(run_loops_and_shut_down(parts, stop, ShortBackoff()))
        try:
            yield
        finally:
            stop.set()
            await wait_for(task, 5)

    @property
    def heartbeat(self) -> dict[str, Any]:
        """The fields of the last heartbeat document."""
        return self.sink.beats[-1][1].document_fields() if self.sink.beats else {}


async def test_on_a_day_of_an_unscheduled_closure_the_market_is_closed_and_nothing_is_stale(
    server: AlpacaServer, tmp_path: Path
) -> None:
    world = World(server, tmp_path)
    server.rest.trading_days.closed.add(world.day)
    async with world.running():
        await eventually(lambda: bool(server.rest.requested_calendars), 10)
        await eventually(lambda: world.market.state_at(world.runtime.now()).phase == "closed", 10)
        world.runtime.transitions.signal()
        await eventually(lambda: world.heartbeat.get("market") == "closed", 10)
        await eventually(lambda: (world.heartbeat.get("freshness") or {}).get("closed") == 2, 20)
    assert world.heartbeat["market_changes_at"].astimezone(NEW_YORK).date() > world.day
    assert world.heartbeat["stale"] == []


async def test_without_the_vendor_s_calendar_the_table_says_that_the_market_is_open(
    server: AlpacaServer, tmp_path: Path
) -> None:
    world = World(server, tmp_path, calendar_key="unknown")
    server.rest.trading_days.closed.add(world.day)
    async with world.running():
        await eventually(lambda: world.runtime.counters.errors.get("calendar") == 1, 10)
        world.runtime.transitions.signal()
        await eventually(lambda: world.heartbeat.get("market") == "open", 10)
    assert server.rest.requested_calendars == []
