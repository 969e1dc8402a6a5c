"""The close frame of both engines, as a server on this machine receives it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sluice_runtime.providers.alpaca.sdk import SDKTransport
from sluice_runtime.providers.alpaca.websocket import Endpoint, NativeTransport, Timeouts, Transport
from support.deadlines import wait_for
from support.raw_websocket_peer import RawWebSocketPeer

REAL_TIME = True
_CLOSE, _MASKED = 0x88, 0x80
_OPENERS = [NativeTransport.open, SDKTransport.open]


def close_code(frame: bytes) -> int:
    """Return the code of a masked close frame, which must be all of `frame`."""
    assert frame[:2] == bytes([_CLOSE, _MASKED | 2])
    mask, code = frame[2:6], frame[6:]
    assert len(code) == 2
    return int.from_bytes(bytes(each ^ key for each, key in zip(code, mask, strict=False)), "big")


@pytest.mark.parametrize("opener", _OPENERS, ids=["native", "sdk"])
async def test_the_close_frame_is_sent_without_waiting_and_once(
    opener: Callable[[Endpoint], Awaitable[Transport]],
) -> None:
    server = RawWebSocketPeer()
    async with server.serving() as url:
        transport = await opener(Endpoint(url=url, tls=None, timeouts=Timeouts()))
        reading = asyncio.create_task(transport.read_until_closed(lambda _: None))
        await asyncio.sleep(0.05)
        transport.send_close_frame()
        transport.send_close_frame()
        await wait_for(server.has_data.wait(), 5)
        assert not server.ended.is_set()
        await transport.close()
        await wait_for(server.ended.wait(), 5)
        await asyncio.gather(reading, return_exceptions=True)
    assert close_code(server.received) == 1000


@pytest.mark.parametrize("opener", _OPENERS, ids=["native", "sdk"])
async def test_a_close_without_an_earlier_close_frame_sends_one(
    opener: Callable[[Endpoint], Awaitable[Transport]],
) -> None:
    server = RawWebSocketPeer()
    async with server.serving() as url:
        transport = await opener(Endpoint(url=url, tls=None, timeouts=Timeouts()))
        await transport.close()
        await wait_for(server.ended.wait(), 5)
        transport.send_close_frame()
    assert close_code(server.received) == 1000
