"""Port-forward of the node agent, with a client that sends the frames of the API server, and a pod that echoes."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_devcluster.node.port_forward import PortForward
from sluice_devcluster.node.spdy import (
    DICTIONARY,
    FrameReader,
    FrameWriter,
    OpenedStream,
    Ping,
    ResetStream,
    StreamData,
)

PING = bytes.fromhex("8003000600000004") + b"\0\0\0\1"


class Client:
    """The other side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def open_stream(self, stream: int, **headers: str) -> None:
        pairs = b"".join(struct.pack(">I", len(text)) + text.encode() for pair in headers.items() for text in pair)
        block = self._deflate.compress(struct.pack(">I", len(headers)) + pairs)
        block += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.send_control(1, struct.pack(">IIH", stream, 0, 0) + block)

    def send_control(self, kind: int, body: bytes) -> None:
        self._writer.write(struct.pack(">HH", 0x8003, kind) + b"\0" + len(body).to_bytes(3, "big") + body)

    def send(self, frame: bytes) -> None:
        self._writer.write(frame)

    async def receive(self) -> tuple[bytes, bytes]:
        """Return the first eight bytes of the next frame, and its content."""
        head = await self._reader.readexactly(8)
        return head, await self._reader.readexactly(int.from_bytes(head[5:], "big"))

    async def received_data(self, stream: int) -> tuple[bytes, bool]:
        """Return the next data of a stream, and whether it is the last. Replies are skipped."""
        while True:
            head, body = await self.receive()
            if int.from_bytes(head[:4], "big") == stream:
                return body, bool(head[4])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"echo " + await reader.read())
    writer.close()


@asynccontextmanager
async def forwarded() -> AsyncIterator[Client]:
    """A client whose streams are forwarded to 127.0.0.1."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await PortForward(reader, writer, "127.0.0.1").run()
        writer.close()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield Client(reader, writer)
        writer.close()
        await ended.wait()


def open_pair(client: Client, port: int) -> None:
    client.open_stream(1, streamtype="error", port=str(port), requestid="0")
    client.open_stream(3, streamtype="data", port=str(port), requestid="0")


async def test_data_goes_to_the_pod_and_back() -> None:
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as pod, forwarded() as client:
        open_pair(client, pod.sockets[0].getsockname()[1])
        frames = FrameWriter()
        client.send(frames.data_frame(3, b"one "))
        client.send(frames.data_frame(3, b"two", is_last=True))
        assert await client.received_data(3) == (b"echo one two", False)
        assert await client.received_data(3) == (b"", True)
        assert await client.received_data(1) == (b"", True)


async def test_a_port_at_which_nothing_listens_is_an_error_of_the_stream() -> None:
    async with forwarded() as client:
        open_pair(client, 1)
        message, is_last = await client.received_data(1)
        assert message.startswith(b"failed to connect to 127.0.0.1:1 inside the pod")
        assert is_last


async def test_a_ping_comes_back_and_a_reset_ends_the_connection_to_the_pod() -> None:
    ended = asyncio.Event()

    async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(wait_for_end, "127.0.0.1", 0) as pod, forwarded() as client:
        open_pair(client, pod.sockets[0].getsockname()[1])
        client.send(PING)
        heads = [(await client.receive())[0] for _ in range(3)]
        assert heads[-1] == PING[:8]
        client.send_control(3, struct.pack(">II", 3, 5))
        await ended.wait()


async def test_frames_are_read_as_the_client_sent_them() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(FrameWriter().data_frame(7, b"x", is_last=True) + PING)
    reader.feed_data(bytes.fromhex("8003000400000000"))  # SETTINGS, which has no meaning here
    reader.feed_data(bytes.fromhex("8003000300000008") + struct.pack(">II", 7, 1))
    reader.feed_eof()
    frames = FrameReader(reader)
    assert [await frames.read_frame() for _ in range(4)] == [
        StreamData(7, b"x", is_last=True),
        Ping(PING),
        ResetStream(7),
        None,
    ]


def test_a_frame_has_at_most_16_mib() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        FrameWriter().data_frame(1, bytes(2**24))


def test_the_dictionary_is_that_of_the_protocol() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)
    assert OpenedStream(1, {}, is_last=False).headers == {}
