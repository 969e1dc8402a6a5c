"""Provider ibkr, configured for a test gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_contract.ibkr import IBKRSettings
from sluice_contract.spec import Channel
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.ports import QUOTES, Connection
from sluice_runtime.providers.ibkr.messages import IBKRTimeouts
from sluice_runtime.providers.ibkr.source import IBKRSource
from support.fake_listener import FakeListener

# Short timeouts of the connection's phases.
SHORT_TIMEOUTS = IBKRTimeouts(connect=3.0, answer=3.0, probe=0.2, settle=0.05, retry=0.3)


def source(port: int, *, client_id: int = 7, timeouts: IBKRTimeouts = SHORT_TIMEOUTS) -> IBKRSource:
    """Return provider ibkr with a gateway on a local port."""
    return IBKRSource(IBKRSettings(host="127.0.0.1", port=port, client_id=client_id), timeouts)


@asynccontextmanager
async def streaming(
    made: IBKRSource, listener: FakeListener, *symbols: str, channels: frozenset[Channel] = QUOTES
) -> AsyncIterator[Connection]:
    """Open a connection, run it in the background and follow these symbols while the context lasts."""
    async with made.connect(listener) as connection:
        reading = asyncio.create_task(connection.run())
        try:
            await connection.set_subscriptions(frozenset(symbols), channels)
            yield connection
        finally:
            await cancel_and_wait(reading)


async def failure_of_connection(made: IBKRSource, *symbols: str) -> StreamError:
    """Connect and run until the session fails; returns the error."""

    async def session() -> None:
        async with made.connect(FakeListener()) as connection:
            await connection.set_subscriptions(frozenset(symbols or ("AAPL",)))
            await connection.run()

    with pytest.raises(StreamError) as failure:
        await session()
    return failure.value
