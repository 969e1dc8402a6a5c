"""The simulated gateway in its own thread, for tests that block while they wait for pods."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from sluice_simulators.tws.server import TWSServer

T = TypeVar("T")


class BackgroundGateway:
    """A gateway in its own thread: `with BackgroundGateway() as gateway: gateway.call(lambda server: server.port)`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._server: TWSServer | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="gateway")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def call(self, function: Callable[[TWSServer], T]) -> T:
        """Call the function with the server, in the server's thread, and return the result."""

        async def answer() -> T:
            assert self._server is not None
            return function(self._server)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(10)

    async def _serve(self) -> None:
        async with TWSServer() as self._server:
            self._ready.set()
            await self._stop.wait()
