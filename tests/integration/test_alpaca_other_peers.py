"""Servers that respond differently from Alpaca: text frames, dates in Retry-After, and anything but a welcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_simulators.alpaca import Account, AlpacaServer
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import (
    AuthSilence,
    ForeignWelcome,
    HttpError,
    NoWelcome,
    TextFrames,
    WrongWelcome,
)
from sluice_simulators.alpaca.stream_faults import Burst, Garbage, WrongCodec
from support.alpaca_provider import SECRET, failure_of_connection, mount, source, streaming
from support.deadlines import wait_until
from support.eventually import eventually
from support.fake_listener import FakeListener

WRONG_CLOCK = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)  # of a server


@pytest.fixture
async def server() -> AsyncIterator[AlpacaServer]:
    async with AlpacaServer([Account("key", SECRET)]) as running:
        yield running


@pytest.fixture(params=get_args(AlpacaEngine))
def client(server: AlpacaServer, tmp_path: Path, request: pytest.FixtureRequest) -> AlpacaSource:
    """The client, with each engine."""
    return source(server.url(), mount(tmp_path, "key", SECRET), engine=request.param)


async def test_a_server_that_uses_text_frames_gets_text_frames(server: AlpacaServer, client: AlpacaSource) -> None:
    server.faults.schedule(TextFrames())
    listener = FakeListener()
    async with streaming(client, listener, "AAPL", "MSFT") as connection:
        await server.send_quote("AAPL", 100.25, 100.5)
        await server.send_quote("MSFT", 50.0, 0.0)
        await eventually(lambda: len(listener.ticks) == 2)
        await connection.set_subscriptions(frozenset({"SPY"}))
        assert listener.confirmed == server.record.quote_symbols == {"SPY"}
    first, second = (tick.to_quote() for tick in listener.ticks)
    assert (first.symbol, first.bid, first.ask, first.bid_size) == ("AAPL", 100.25, 100.5, 200)
    assert (second.symbol, second.bid, second.ask, second.ask_size) == ("MSFT", 50.0, None, None)
    assert abs((datetime.now(UTC) - first.ts).total_seconds()) < 10
    await wait_until(server.record, lambda record: record.close_sides_and_codes == [("client", 1000)])


@pytest.mark.parametrize(
    "fault", [WrongCodec(), Garbage(text=True, data="5b7b"), Burst(messages=3000, batch=3000)], ids=str
)
@pytest.mark.parametrize("faults", [[], [TextFrames()]], ids=["binary", "text"])
async def test_each_frame_is_read_by_its_own_encoding(
    server: AlpacaServer, client: AlpacaSource, fault: Fault, faults: list[Fault]
) -> None:
    server.faults.schedule(*faults)
    listener = FakeListener()
    async with streaming(client, listener, "AAPL") as connection:
        await server.inject(fault)
        if isinstance(fault, WrongCodec):
            await eventually(lambda: listener.ticks)
        await server.send_quote("AAPL", 77.25, 78.0)
        await eventually(lambda: listener.ticks and listener.ticks[-1].to_quote().bid == 77.25)
        await connection.set_subscriptions(frozenset({"AAPL", "SPY"}))
        assert listener.confirmed == {"AAPL", "SPY"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ForeignWelcome(), "did not send a welcome within 2 s; it sent an HTML page; reconnecting"),
        (ForeignWelcome(text='{"error":"who"}'), "it sent JSON that is not a message of Alpaca's; reconnecting"),
        (ForeignWelcome(text='[{"T":"hello"}]'), "it sent JSON that is not a message of Alpaca's; reconnecting"),
        (
            ForeignWelcome(data="9181a154a568656c6c6f"),
            "it sent MessagePack that is not a message of Alpaca's; reconnecting",
        ),
        (ForeignWelcome(data="c1ff00"), "it sent binary data; reconnecting"),
        (ForeignWelcome(text="x" * 100_000), "it sent text that is not a message of Alpaca's; reconnecting"),
        (NoWelcome(), "did not send a welcome within 2 s; reconnecting"),
        (WrongWelcome(code=500), "internal error"),
        (AuthSilence(), "did not send an answer to the login within 2 s; reconnecting"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_an_error_reports_what_arrived_instead_of_a_welcome(
    server: AlpacaServer, client: AlpacaSource, fault: Fault, words: str
) -> None:
    server.faults.schedule(fault, times=None)
    failure = await failure_of_connection(client, FakeListener())
    assert words in failure.message
    assert len(failure.message) < 400
    assert failure.message.isprintable()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            HttpError(200, body="<html><head><title>Welcome to the hotel</title>"),
            "answered HTTP 200 with an HTML page and opened no websocket; this is not",
        ),
        (HttpError(200), "answered HTTP 200 and opened no websocket; this is not a market data stream"),
        (
            HttpError(503, body="maintenance"),
            "refused the upgrade (HTTP 503) with text that is not a message of Alpaca's",
        ),
        (HttpError(404, body='{"message":"not found"}'), "(HTTP 404) with JSON that is not a message of Alpaca's"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_an_error_reports_the_page_that_answers_instead_of_the_server(
    server: AlpacaServer, client: AlpacaSource, fault: Fault, words: str
) -> None:
    server.faults.schedule(fault, times=2)
    failure = await failure_of_connection(client, FakeListener())
    assert failure.kind == "network"
    assert words in failure.message


async def test_a_redirect_to_a_login_page_is_reported(server: AlpacaServer, client: AlpacaSource) -> None:
    page = f"{server.http_url}/login"
    server.faults.schedule(HttpError(302, location=f"{page}?session=secret"), times=2)
    failure = await failure_of_connection(client, FakeListener())
    assert failure.kind == "network"
    assert failure.message == (
        f"{server.url()} answered with a redirect (HTTP 302), which is not followed; set spec.alpaca.streamURL to the "
        f"final address, and check that no login page of the network answers in its place"
    )


@pytest.mark.parametrize(
    "form",
    [
        lambda at: format_datetime(at, usegmt=True),
        lambda at: at.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        lambda at: at.strftime("%a %b %e %H:%M:%S %Y"),
    ],
    ids=["IMF-fixdate", "RFC 850", "asctime"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_date_in_retry_after_is_compared_with_the_server_s_own_date(
    server: AlpacaServer, client: AlpacaSource, form: object, status: int
) -> None:
    assert callable(form)
    later = form(WRONG_CLOCK + timedelta(seconds=90))
    server.faults.schedule(HttpError(status, retry_after=later, date=form(WRONG_CLOCK)), times=2)
    failure = await failure_of_connection(client, FakeListener())
    assert failure.retry_after == 90.0
