"""The close frame of both engines, as a server on this machine receives it."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sluice_runtime.providers.alpaca.sdk import SDKTransport
from sluice_runtime.providers.alpaca.websocket import Endpoint, NativeTransport, Timeouts, Transport
from support.deadlines import wait_for

REAL_TIME = True
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE, _MASKED = 0x88, 0x80
_OPENERS = [NativeTransport.open, SDKTransport.open]


class RawServer:
    """Accepts one websocket, and answers the first close frame. `received` has all bytes after the upgrade."""

    def __init__(self) -> None:
        self.received = b""
        self.ended = asyncio.Event()
        self.has_data = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            yield f"ws://{host}:{port}/v2/iex"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()  # noqa: S324  of the protocol
        answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        answer.append(f"Sec-WebSocket-Accept: {accept}")
        writer.write("\r\n".join([*answer, "", ""]).encode())
        try:
            while data := await reader.read(1000):
                if not self.received:
                    writer.write(bytes([_CLOSE, 2]) + (1000).to_bytes(2, "big"))
                self.received += data
                self.has_data.set()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.ended.set()


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
    server = RawServer()
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
    server = RawServer()
    async with server.serving() as url:
        transport = await opener(Endpoint(url=url, tls=None, timeouts=Timeouts()))
        await transport.close()
        await wait_for(server.ended.wait(), 5)
        transport.send_close_frame()
    assert close_code(server.received) == 1000
