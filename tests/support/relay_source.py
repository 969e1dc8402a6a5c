"""A source for tests of the relay, and a server that serves it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import aiohttp
import msgspec

from sluice_relay.clients import Client, ClientDirectory
from sluice_relay.events import Event, Quote, Trade
from sluice_relay.faults import FaultClock
from sluice_relay.listening import Address, create_listener
from sluice_relay.ports import Audience
from sluice_relay.server import RelayServer

from .deadlines import within

FEED: Final = "acme/us-equities"
CLIENT: Final = Client(key="key", secret="secret", tenant="acme", jobs=("us-equities",))


class ListSource:
    """A source that publishes what a test gives it: each feed is a job of a tenant."""

    def __init__(self, channels: frozenset[str] = frozenset({"quotes", "trades"})) -> None:
        self._channels = channels
        self._newest: dict[tuple[str, str], Quote] = {}
        self._events: asyncio.Queue[tuple[str, Sequence[Event]] | None] = asyncio.Queue()

    def feeds_of_client(self, client: Client) -> tuple[str, ...]:
        return tuple(f"{client.tenant}/{job}" for job in client.jobs)

    def carried_channels(self, feeds: Sequence[str]) -> frozenset[str]:
        return self._channels if feeds else frozenset()

    def newest_quote(self, feed: str, symbol: str) -> Quote | None:
        return self._newest.get((feed, symbol))

    def state(self) -> Mapping[str, object]:
        return {"source": "list"}

    async def run(self, audience: Audience) -> None:
        while (taken := await self._events.get()) is not None:
            audience.publish(*taken)

    def send(self, *events: Event, feed: str = FEED) -> None:
        """Publish events as soon as the server runs."""
        for event in events:
            if isinstance(event, Quote):
                self._newest[feed, event.symbol] = event
        self._events.put_nowait((feed, events))

    def end(self) -> None:
        """End the source, after what was sent before."""
        self._events.put_nowait(None)


class Served(msgspec.Struct, frozen=True):
    """A running server, and its addresses."""

    server: RelayServer
    source: ListSource
    authority: str

    def url(self, path: str = "/v2/iex") -> str:
        """Return the address of a feed."""
        return f"ws://{self.authority}{path}"

    def http_url(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://{self.authority}{path}"


@contextlib.asynccontextmanager
async def served(
    *clients: Client, source: ListSource | None = None, faults: FaultClock | None = None
) -> AsyncIterator[Served]:
    """Serve a source on a free port to these clients, or to CLIENT."""
    chosen = source or ListSource()
    directory = ClientDirectory({each.key: each for each in clients or (CLIENT,)})
    server = RelayServer(chosen, directory, faults)
    listener = create_listener(Address("127.0.0.1", 0))
    async with server.serve(listener):
        running = asyncio.create_task(server.run_source())
        try:
            yield Served(server, chosen, f"127.0.0.1:{listener.getsockname()[1]}")
        finally:
            running.cancel()


async def page(relay: Served, path: str) -> str:
    """Return the text of a page of the server."""
    async with within(10), aiohttp.ClientSession() as session, session.get(relay.http_url(path)) as response:
        assert response.status == 200
        return await response.text()


async def metrics(relay: Served) -> dict[str, float]:
    """Return the metrics of the server, by name and labels."""
    lines = [line.rsplit(" ", 1) for line in (await page(relay, "/metrics")).splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


def quote(symbol: str = "SPY", bid: float = 100.0, ts: int = 1_381_152_300_289_123_456) -> Quote:
    """Return a quote with a spread of 0.02."""
    return Quote(symbol=symbol, ts=ts, bid=bid, ask=bid + 0.02, bid_size=200, ask_size=300)


def trade(number: int = 1, symbol: str = "SPY") -> Trade:
    """Return a trade."""
    return Trade(symbol=symbol, ts=1_381_152_300_289_123_456, price=100.0, size=10, id=number)
