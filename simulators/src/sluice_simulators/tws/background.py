"""The gateway in a thread of its own, for tests that wait for pods which run as processes."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from sluice_simulators.tws.server import TWSServer

T = TypeVar("T")


class BackgroundGateway:
    """`with BackgroundGateway() as gateway: gateway.ask(lambda server: server.record.symbols)`."""

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

    def call(self, what: Callable[[TWSServer], T]) -> T:
        """What a function of the server comes to, called in the server's thread."""

        async def answer() -> T:
            assert self._server is not None
            return what(self._server)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(10)

    async def _serve(self) -> None:
        async with TWSServer() as self._server:
            self._ready.set()
            await self._stop.wait()
