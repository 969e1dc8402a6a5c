import time

import aiohttp
import pytest

from sluice_simulators.alpaca import AlpacaServer
from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from sluice_simulators.alpaca.faults import Fault
from sluice_simulators.alpaca.handshake_faults import (
    AckError,
    AckMissing,
    AckPartial,
    AuthError,
    AuthSilence,
    BadSymbol,
    Deflate,
    Delay,
    ForeignWelcome,
    HttpError,
    NoWelcome,
    ResetOnConnect,
    TextFrames,
    WrongWelcome,
)
from support.deadlines import wait_until

AUTH = {"action": "auth", "key": "key", "secret": "secret"}
AUTHENTICATED = {"T": "success", "msg": "authenticated"}


@pytest.mark.parametrize("fault", [HttpError(401), HttpError(403), HttpError(429, 7), HttpError(503)])
async def test_an_upgrade_is_refused_once_with_an_http_status(fault: HttpError) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(fault)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with connect(server.url()):
                pass
        assert refusal.value.status == fault.status
        assert refusal.value.headers is not None
        assert refusal.value.headers.get("Retry-After") == (str(fault.retry_after) if fault.retry_after else None)
        async with connect(server.url()) as client:
            assert await client.authenticate() == AUTHENTICATED
        assert server.record.refused_upgrades == [fault.status]


async def test_an_upgrade_can_be_answered_with_a_page_and_with_dates() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(
            HttpError(
                200, retry_after="Wed, 21 Oct 2026 07:30:00 GMT", date="Wed, 21 Oct 2026 07:28:00 GMT", body="<html>Hi"
            )
        )
        async with (
            aiohttp.ClientSession() as session,
            session.get(server.url().replace("ws://", "http://", 1)) as response,
        ):
            assert (response.status, response.content_type, await response.text()) == (200, "text/html", "<html>Hi")
            assert response.headers["Retry-After"] == "Wed, 21 Oct 2026 07:30:00 GMT"
            assert response.headers.getall("Date") == ["Wed, 21 Oct 2026 07:28:00 GMT"]


async def test_the_first_frame_can_be_anything() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(ForeignWelcome())
        server.faults.schedule(ForeignWelcome(data="c1ff"))
        for kind, data in ((aiohttp.WSMsgType.TEXT, ForeignWelcome().text), (aiohttp.WSMsgType.BINARY, b"\xc1\xff")):
            async with connect(server.url()) as client:
                frame = await client.receive_frame()
                assert (frame.type, frame.data) == (kind, data)


async def test_a_server_can_use_text_frames_whatever_the_client_requests() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(TextFrames())
        async with connect(server.url()) as client:
            frame = await client.receive_frame()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.TEXT, '[{"T":"success","msg":"connected"}]')


async def test_a_connection_is_reset_before_the_upgrade() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(ResetOnConnect(), times=None)
        with pytest.raises(aiohttp.ClientConnectionError):
            async with connect(server.url()):
                pass


async def test_no_welcome_follows_the_upgrade() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(NoWelcome())
        async with connect(server.url()) as client:
            assert await client.is_silent()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (WrongWelcome(), {"T": "success", "msg": "welcome"}),
        (WrongWelcome(code=500), {"T": "error", "code": 500, "msg": "internal error"}),
    ],
)
async def test_the_first_message_is_not_the_welcome(fault: Fault, message: object) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(fault)
        async with connect(server.url()) as client:
            assert await client.receive_messages() == [message]


@pytest.mark.parametrize("phase", ["welcome", "auth", "ack"])
async def test_the_answer_of_a_phase_is_late(phase: str) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(Delay(phase, 0.05))  # type: ignore[arg-type]
        began = time.monotonic()
        async with connect_and_subscribe(server.url(), "AAPL"):
            assert time.monotonic() - began >= 0.05


async def test_authentication_is_not_answered() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AuthSilence())
        async with connect(server.url()) as client:
            await client.receive_messages()
            await client.send(AUTH)
            assert await client.is_silent()
            assert server.record.auth_outcomes == ["silence"]


@pytest.mark.parametrize("code", [402, 404, 406, 409])
async def test_authentication_fails_a_number_of_times_and_then_succeeds(code: int) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AuthError(code, times=2))
        async with connect(server.url()) as client:
            answers = [await client.authenticate(), await client.request(AUTH), await client.request(AUTH)]
        assert [answer.get("code") for answer in answers] == [code, code, None]
        assert server.record.auth_outcomes == [str(code), str(code), "authenticated"]


async def test_a_refused_authentication_can_close_the_connection() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AuthError(404, closes=True))
        async with connect(server.url()) as client:
            assert (await client.authenticate())["code"] == 404
            assert (await client.receive_frame()).type is aiohttp.WSMsgType.CLOSE


async def test_faults_apply_to_the_scripted_number_of_connections_in_order() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AuthError(406), times=2)
        server.faults.schedule()
        server.faults.schedule(AuthError(409))
        outcomes = [await _outcome(server) for _ in range(5)]
        assert outcomes == [406, 406, None, 409, None]


async def test_faults_can_be_limited_to_a_feed_and_cleared() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AuthError(500), times=None, endpoint="sip")
        assert [await _outcome(server, "iex"), await _outcome(server, "sip")] == [None, 500]
        server.faults.clear()
        assert await _outcome(server, "sip") is None


async def test_an_acknowledgement_is_missing_but_data_arrives() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AckMissing())
        async with connect(server.url()) as client:
            await client.authenticate()
            await client.send({"action": "subscribe", "quotes": ["AAPL"]})
            await wait_until(server.record, lambda record: record.quote_symbols)
            await server.send_quote("AAPL")
            assert (await client.receive_messages())[0]["T"] == "q"
            assert (await client.subscribe("MSFT"))["quotes"] == ["AAPL", "MSFT"]


async def test_an_acknowledgement_is_partial() -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AckPartial(without=("MSFT",)))
        async with connect(server.url()) as client:
            await client.authenticate()
            assert (await client.subscribe("AAPL", "MSFT"))["quotes"] == ["AAPL"]
            assert await server.send_quote("MSFT") == 0


@pytest.mark.parametrize("code", [400, 405])
async def test_a_request_is_refused_as_a_whole(code: int) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(AckError(code))
        async with connect(server.url()) as client:
            await client.authenticate()
            assert (await client.subscribe("AAPL"))["code"] == code
            assert (await client.subscribe("AAPL"))["quotes"] == ["AAPL"]


@pytest.mark.parametrize("code", [400, 405])
async def test_a_bad_symbol_makes_each_request_with_it_fail(code: int) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(BadSymbol("MSFT", code))
        async with connect(server.url()) as client:
            await client.authenticate()
            assert (await client.subscribe("AAPL", "MSFT"))["code"] == code
            assert (await client.subscribe("MSFT"))["code"] == code
            assert (await client.subscribe("AAPL"))["quotes"] == ["AAPL"]


@pytest.mark.parametrize("on", [True, False])
async def test_a_fault_decides_whether_deflate_is_negotiated(on: bool) -> None:
    async with AlpacaServer() as server:
        server.faults.schedule(Deflate(on))
        async with connect_and_subscribe(server.url(), "AAPL", options=ClientOptions(compress=15)) as client:
            assert bool(client.socket.compress) is on
            await server.send_quote("AAPL")
            assert (await client.receive_messages())[0]["S"] == "AAPL"


async def test_a_handshake_fault_cannot_be_injected() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL"):
        with pytest.raises(ValueError, match="script it"):
            await server.inject(NoWelcome())


async def _outcome(server: AlpacaServer, feed: str = "iex") -> int | None:
    async with connect(server.url(feed)) as client:
        code: int | None = (await client.authenticate()).get("code")
    await wait_until(server.record, lambda record: not record.open_connections)
    return code
