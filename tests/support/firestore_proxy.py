"""A gRPC proxy in front of the Firestore emulator that refuses, delays and repeats calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc


@dataclass
class Fault:
    """What happens to calls of `method` (such as Commit), `times` times.

    With `code`, calls are refused with `message`. With `late_seconds`, a call reaches the server that much later, even
    if the client has given up. With `copies`, it reaches the server so many times. Only calls whose request contains
    the bytes `containing` are meant.
    """

    method: str
    code: grpc.StatusCode | None = None
    message: str = ""
    late_seconds: float = 0.0
    copies: int = 1
    containing: bytes = b""
    times: int = 1_000_000


class FirestoreProxy:
    """Forwards calls to `target`, the host:port of an emulator, as the current `faults` say.

    `calls` has the time and the method of each call that arrived, `outcomes` the status code of each forwarded Commit.
    """

    def __init__(self, target: str, seconds: Callable[[], float]) -> None:
        self.faults: list[Fault] = []
        self.calls: list[tuple[float, str]] = []
        self.outcomes: list[grpc.StatusCode] = []
        self._seconds = seconds
        self._target = target
        self._deliveries: set[asyncio.Task[Any]] = set()

    def count(self, method: str, since: float = 0.0) -> int:
        """Return the number of calls of `method` that arrived after `since`."""
        return sum(name == method and at >= since for at, name in self.calls)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Accept calls on a free port. Yields its host:port."""
        async with grpc.aio.insecure_channel(self._target) as channel:
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((_Handler(self, channel),))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            try:
                yield f"127.0.0.1:{port}"
            finally:
                await server.stop(None)
                for task in self._deliveries:
                    task.cancel()
                await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def answer(self, channel: grpc.aio.Channel, path: str, request: bytes, context: Any) -> list[bytes]:
        """Return the messages with which the server answered the call."""
        method = path.rsplit("/", 1)[1]
        self.calls.append((self._seconds(), method))
        fault = self._take_fault(method, request)
        if fault is not None and fault.code is not None:
            await context.abort(fault.code, fault.message)
        metadata = [
            each for each in context.invocation_metadata() if each[0] in ("authorization", "x-goog-request-params")
        ]
        answers = []
        for _ in range(fault.copies if fault else 1):
            delivery = asyncio.create_task(
                self._deliver(channel, path, request, metadata, fault.late_seconds if fault else 0.0)
            )
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._forget_delivery)
            answers.append(delivery)
        try:
            return await asyncio.shield(answers[0])
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details())
            raise

    async def _deliver(
        self, channel: grpc.aio.Channel, path: str, request: bytes, metadata: Any, late_seconds: float
    ) -> list[bytes]:
        await asyncio.sleep(late_seconds)
        try:
            found = [part async for part in channel.unary_stream(path)(request, metadata=metadata)]
        except grpc.aio.AioRpcError as error:
            if path.endswith("/Commit"):
                self.outcomes.append(error.code())
            raise
        if path.endswith("/Commit"):
            self.outcomes.append(grpc.StatusCode.OK)
        return found

    def _forget_delivery(self, delivery: asyncio.Task[Any]) -> None:
        self._deliveries.discard(delivery)
        if not delivery.cancelled():
            delivery.exception()  # the client may have given up: then there is no other reader of the error

    def _take_fault(self, method: str, request: bytes) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and fault.times > 0 and fault.containing in request:
                fault.times -= 1
                return fault
        return None


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, proxy: FirestoreProxy, channel: grpc.aio.Channel) -> None:
        self._proxy = proxy
        self._channel = channel

    def service(self, handler_call_details: Any) -> Any:
        async def run(request: bytes, context: Any) -> AsyncIterator[bytes]:
            for part in await self._proxy.answer(self._channel, handler_call_details.method, request, context):
                yield part

        return grpc.unary_stream_rpc_method_handler(run)
