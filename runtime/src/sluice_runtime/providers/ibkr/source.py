"""Interactive Brokers: quotes from an IB Gateway or TWS, with ib_async.

The user keeps the gateway logged in. The runtime is one of its API clients, and reads only market data.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sluice_contract.ibkr import IBKRSettings

from ...aio.shielding import close_and_notify
from ...domain.failure import StreamError
from ...ports import Connection, Listener
from .messages import IBKRTimeouts


class IBKRSource:
    """The source of provider `ibkr`."""

    name = "ibkr"

    def __init__(self, settings: IBKRSettings, timeouts: IBKRTimeouts = IBKRTimeouts()) -> None:  # noqa: B008  frozen
        self._settings = settings
        self._timeouts = timeouts

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        """Open a connection to the gateway, with the client ID of the spec."""
        listener.on_state("Connecting")
        try:
            from .connection import IBKRConnection  # noqa: PLC0415
            from .gateway import Gateway  # noqa: PLC0415
        except ImportError as error:
            raise StreamError(
                "configuration",
                f"spec.provider is ibkr, and this image has no ib_async ({error}); run the default image",
            ) from None
        gateway = Gateway(self._settings, self._timeouts)
        await gateway.open()
        try:
            listener.on_state("Subscribing")
            yield IBKRConnection(gateway, listener, self._timeouts)
        finally:
            await close_and_notify(gateway.close(), listener)

    async def wait_for_fix(self) -> None:
        """Never return: no fatal failure can be fixed while the process runs."""
        await asyncio.Event().wait()

    async def wait_for_rotation(self) -> None:
        """Never return: the gateway holds the credentials."""
        await asyncio.Event().wait()
