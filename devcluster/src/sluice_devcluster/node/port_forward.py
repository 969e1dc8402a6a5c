"""`kubectl port-forward`: connects the streams of a SPDY connection to the ports of a pod."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

from sluice_devcluster.node.spdy import FrameReader, FrameWriter, OpenedStream, Ping, ResetStream, StreamData

PROTOCOL = "portforward.k8s.io"
_SWITCHING = (
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    f"X-Stream-Protocol-Version: {PROTOCOL}\r\n\r\n"
)
_CHUNK = 64 * 1024


async def answer_port_forward(request: web.Request, address: str) -> web.StreamResponse:
    """Take over the connection of the request, and forward its streams to a pod's address until it ends."""
    if request.headers.get("Upgrade", "").upper() != "SPDY/3.1" or request.transport is None:
        raise web.HTTPBadRequest(text="port-forward needs an upgrade to SPDY/3.1")
    transport, loop = request.transport, asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    writer.write(_SWITCHING.encode())
    try:
        await PortForward(reader, writer, address).run()
    finally:
        transport.close()
    return web.Response()  # it is not sent: the connection is closed


class PortForward:
    """One connection of a client, with two streams for each of its connections to the pod: data and errors."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        self._frames = FrameReader(reader)
        self._encode = FrameWriter()
        self._writer = writer
        self._address = address
        self._error_streams: dict[str, int] = {}  # by the ID of the request
        self._pods: dict[int, asyncio.StreamWriter] = {}  # by the data stream
        self._copies: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Forward until the client ends the connection."""
        try:
            while (frame := await self._frames.read_frame()) is not None:
                await self._handle(frame)
        finally:
            for task in self._copies:
                task.cancel()
            for pod in self._pods.values():
                pod.close()

    async def _handle(self, frame: OpenedStream | StreamData | ResetStream | Ping) -> None:
        match frame:
            case OpenedStream():
                await self._open_stream(frame)
            case StreamData() if (pod := self._pods.get(frame.stream)) is not None:
                with suppress(ConnectionError, RuntimeError):  # the pod has closed its side
                    pod.write(frame.data)
                    if frame.is_last:
                        pod.write_eof()
                    await pod.drain()
            case ResetStream() if (pod := self._pods.pop(frame.stream, None)) is not None:
                pod.close()
            case Ping():
                self._writer.write(frame.frame)

    async def _open_stream(self, opened: OpenedStream) -> None:
        self._writer.write(self._encode.reply_frame(opened.stream))
        request = opened.headers.get("requestid", "")
        if opened.headers.get("streamtype") == "error":
            self._error_streams[request] = opened.stream
            return
        port = int(opened.headers["port"])
        errors = self._error_streams.pop(request)
        try:
            reader, self._pods[opened.stream] = await asyncio.open_connection(self._address, port)
        except OSError as error:
            message = f"failed to connect to {self._address}:{port} inside the pod: {error}"
            self._writer.write(self._encode.data_frame(errors, message.encode(), is_last=True))
            self._writer.write(self._encode.data_frame(opened.stream, b"", is_last=True))
            return
        task = asyncio.create_task(self._copy_from_pod(reader, opened.stream, errors))
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)

    async def _copy_from_pod(self, reader: asyncio.StreamReader, stream: int, errors: int) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                self._writer.write(self._encode.data_frame(stream, data))
                await self._writer.drain()
        self._writer.write(self._encode.data_frame(stream, b"", is_last=True))
        self._writer.write(self._encode.data_frame(errors, b"", is_last=True))
        if (pod := self._pods.pop(stream, None)) is not None:
            pod.close()
