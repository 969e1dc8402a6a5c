"""Connections whose frames are decoded in place, to a server on this machine: upgrade, flow control, pings and ends."""

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp.client_proto import ResponseHandler

from sluice_runtime.domain.failure import StreamError
from sluice_runtime.providers.alpaca import reading_pause
from sluice_runtime.providers.alpaca.connection import AlpacaConnection
from sluice_runtime.providers.alpaca.messages import Message, QuoteMessage
from sluice_runtime.providers.alpaca.websocket import Endpoint, NativeTransport, Timeouts
from support.certificates import self_signed
from support.deadlines import assert_takes_at_most, wait_for, within
from support.encoded_frames import PING, binary, fragments, text
from support.eventually import eventually
from support.fake_listener import FakeListener
from support.raw_websocket_peer import RawWebSocketPeer

REAL_TIME = True
BURST = b"".join(binary(*range(start, start + 10)) for start in range(0, 20_000, 10))
OnMessages = Callable[[Sequence[Message]], None]


class Numbers(list[int]):
    """The numbers of all received quotes."""

    def add(self, messages: Sequence[Message]) -> None:
        """Add the numbers of these quotes."""
        self += [int(message.symbol[1:]) for message in messages if isinstance(message, QuoteMessage)]


@pytest.fixture(params=["ws", "wss"])
def server_tls(request: pytest.FixtureRequest, tmp_path: Path) -> ssl.SSLContext | None:
    if request.param == "ws":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path, "localhost"))
    return context


@asynccontextmanager
async def connected(
    peer: RawWebSocketPeer, tls: ssl.SSLContext | None = None, timeouts: Timeouts | None = None
) -> AsyncIterator[NativeTransport]:
    """Open a websocket to the peer. It trusts every certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    async with peer.serving(tls) as url:
        transport = await NativeTransport.open(Endpoint(url=url, tls=trusting, timeouts=timeouts or Timeouts()))
        try:
            yield transport
        finally:
            await transport.close()


@asynccontextmanager
async def reading(transport: NativeTransport) -> AsyncIterator[Numbers]:
    """Read until the context ends."""
    numbers = Numbers()
    task = asyncio.create_task(transport.read_until_closed(numbers.add))
    await asyncio.sleep(0.01)
    try:
        yield numbers
    finally:
        await transport.close()
        with pytest.raises(StreamError):
            await task


def test_aiohttp_keeps_what_comes_with_the_upgrade_in_the_private_attribute_that_is_taken_over() -> None:
    """If this fails, aiohttp has changed what FrameProtocol.__init__ relies on. Look there, and at docs/adr/0045.

    ResponseHandler.data_received appends to `_tail` what follows the response to an upgrade request, and set_parser
    passes it to the websocket's parser. FrameProtocol empties it before set_parser runs.
    """
    assert "self._tail += data" in inspect.getsource(ResponseHandler.data_received)
    assert "self._drain_tail()" in inspect.getsource(ResponseHandler.set_parser)
    assert 'data, self._tail = self._tail, b""' in inspect.getsource(ResponseHandler._drain_tail)


async def test_an_empty_read_restarts_the_timer_of_aiohttps_pings() -> None:
    """If this fails, look at FrameProtocol.buffer_updated: frames that it decodes no longer count as a sign of life."""
    peer = RawWebSocketPeer()
    async with connected(peer, timeouts=Timeouts(ping=0.3)) as transport, reading(transport) as numbers:
        for number in range(20):
            await peer.send(binary(number))
            await asyncio.sleep(0.05)
        await eventually(lambda: len(numbers) == 20)
        assert peer.received_frames == []  # no ping


async def test_a_silent_peer_is_pinged_and_then_considered_dead() -> None:
    peer = RawWebSocketPeer()
    async with connected(peer, timeouts=Timeouts(ping=0.2)) as transport:
        await peer.send(binary(0) + binary(1)[:20])  # an unfinished frame is no sign of life later
        with pytest.raises(StreamError, match="no longer answers pings"):
            await wait_for(transport.read_until_closed(lambda _: None), 5)
    assert peer.received_frames[0] == 0x89


async def test_a_ping_between_frames_is_answered() -> None:
    peer = RawWebSocketPeer()
    async with connected(peer) as transport, reading(transport) as numbers:
        await peer.send(binary(0) + PING + binary(1))
        await wait_for(peer.has_data.wait(), 5)
        assert peer.received_frames == [0x8A]
        assert numbers == [0, 1]


_FIRST_FRAMES = binary(0) + text(1) + binary(2) + fragments(3) + binary(4)


@pytest.mark.parametrize("split", range(0, len(_FIRST_FRAMES) + 1, 3))
async def test_frames_that_come_with_the_response_to_the_upgrade_are_complete_and_in_order(split: int) -> None:
    peer = RawWebSocketPeer(_FIRST_FRAMES[:split], after_first_frame=_FIRST_FRAMES[split:])
    async with connected(peer) as transport, reading(transport) as numbers:
        await transport.send({"action": "auth"})
        await eventually(lambda: len(numbers) == 5)
        assert numbers == [0, 1, 2, 3, 4]


async def test_a_burst_with_the_response_to_the_upgrade_is_complete_and_in_order(
    server_tls: ssl.SSLContext | None,
) -> None:
    peer = RawWebSocketPeer(BURST)
    async with connected(peer, server_tls) as transport:
        first = Numbers()
        first.add((await transport.receive_frame()).messages)
        await asyncio.sleep(0.1)  # aiohttp's queue fills, and it pauses reading
        async with reading(transport) as numbers:
            await eventually(lambda: len(numbers) == 19_990)
            assert first + numbers == list(range(20_000))


async def test_quotes_that_arrive_while_reading_is_paused_are_complete_and_in_order(
    server_tls: ssl.SSLContext | None,
) -> None:
    peer = RawWebSocketPeer()
    async with connected(peer, server_tls) as transport, reading(transport) as numbers:
        for start in range(0, len(BURST), 100_000):
            transport.pause_reading_briefly()
            received = len(numbers)
            await peer.send(BURST[start : start + 100_000])
            assert len(numbers) == received
        await eventually(lambda: len(numbers) == 20_000)
        assert numbers == list(range(20_000))


async def test_quotes_that_arrive_while_reading_is_paused_are_delivered_on_request_without_a_wait(
    server_tls: ssl.SSLContext | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_pause, "PAUSE_SECONDS", 60.0)
    peer, listener = RawWebSocketPeer(), FakeListener()
    async with connected(peer, server_tls) as transport:
        connection = AlpacaConnection(transport, listener, Timeouts(), has_halts=False)
        task = asyncio.create_task(connection.run())
        await asyncio.sleep(0.01)
        for number in range(20):
            transport.pause_reading_briefly()
            await peer.send(binary(number))
            await asyncio.sleep(0.002)  # the data is in the client's socket
            assert len(listener.ticks) == number
            await connection.deliver_arrived_data()
            assert len(listener.ticks) == number + 1
        await transport.close()
        with pytest.raises(StreamError):
            await task


async def test_quotes_are_delivered_on_request_in_the_turn_in_which_the_pause_ends_by_itself(
    server_tls: ssl.SSLContext | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_pause, "PAUSE_SECONDS", 60.0)
    peer, listener = RawWebSocketPeer(), FakeListener()
    async with connected(peer, server_tls) as transport:
        connection = AlpacaConnection(transport, listener, Timeouts(), has_halts=False)
        task = asyncio.create_task(connection.run())
        await asyncio.sleep(0.01)
        flush_is_due: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end_pause() -> None:
            with transport.without_pauses():  # the timer of the pause ends it, too
                pass
            flush_is_due.set_result(None)

        transport.pause_reading_briefly()
        await peer.send(binary(0))
        await asyncio.sleep(0.005)
        asyncio.get_running_loop().call_soon(end_pause)
        await flush_is_due
        await connection.deliver_arrived_data()
        assert len(listener.ticks) == 1
        await transport.close()
        with pytest.raises(StreamError):
            await task


async def test_reading_continues_after_aiohttps_full_queue_has_paused_it(server_tls: ssl.SSLContext | None) -> None:
    texts = b"".join(text(*range(start, start + 10)) for start in range(0, 20_000, 10))
    peer = RawWebSocketPeer(binary(0))
    async with connected(peer, server_tls) as transport:
        await transport.receive_frame()
        sending = asyncio.create_task(peer.send(texts + BURST))
        await asyncio.sleep(0.1)
        async with reading(transport) as numbers:
            await eventually(lambda: len(numbers) == 40_000)
            assert numbers == [*range(20_000), *range(20_000)]
            await sending


async def _flood(peer: RawWebSocketPeer) -> None:
    with suppress(ConnectionError):
        while True:
            await peer.send(BURST)


@pytest.mark.parametrize("is_unresponsive", [False, True])
async def test_a_stop_during_a_flood_closes_within_two_seconds(
    server_tls: ssl.SSLContext | None, is_unresponsive: bool
) -> None:
    peer = RawWebSocketPeer()
    peer.is_unresponsive = is_unresponsive
    async with connected(peer, server_tls) as transport:
        numbers = Numbers()
        task = asyncio.create_task(transport.read_until_closed(numbers.add))
        flood = asyncio.create_task(_flood(peer))
        await eventually(lambda: len(numbers) > 100_000)
        with assert_takes_at_most(2):
            transport.send_close_frame()
            await transport.close()
            await peer.ended.wait()
        received = len(numbers)
        flood.cancel()
        await asyncio.gather(flood, task, return_exceptions=True)
    assert peer.received_frames == [0x88]
    assert len(numbers) == received


@pytest.mark.parametrize("sent", [binary(0), binary(0)[:40], binary(0, byte_count=70_000)[:1000], text(0)[:20]])
async def test_a_stop_in_the_middle_of_a_frame_closes_within_two_seconds(sent: bytes) -> None:
    peer = RawWebSocketPeer()
    peer.is_unresponsive = True
    async with connected(peer) as transport, reading(transport):
        await peer.send(sent)
        with assert_takes_at_most(2):
            await transport.close()
            await peer.ended.wait()


@pytest.mark.parametrize("sent", [b"", binary(1)[:40], binary(1, byte_count=70_000)[:1000]])
async def test_a_connection_that_ends_in_the_middle_of_a_frame_is_reported_as_closed(
    server_tls: ssl.SSLContext | None, sent: bytes
) -> None:
    peer = RawWebSocketPeer()
    numbers = Numbers()

    async def send_and_end(start: Awaitable[None]) -> None:
        await start
        await peer.send(binary(0) + sent)
        peer.end()

    async with connected(peer, server_tls) as transport:
        ending = asyncio.create_task(send_and_end(asyncio.sleep(0.05)))
        with pytest.raises(StreamError, match=r"closed the connection \(code 1006\)"):
            async with within(5):
                await transport.read_until_closed(numbers.add)
        await ending
        assert numbers == [0]
        # The buffer is freed with the connection, not with the objects of aiohttp that know it.
        await eventually(lambda: len(transport._socket.frames.get_buffer(-1)) == 0)
