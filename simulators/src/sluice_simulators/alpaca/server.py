"""A market-data server that speaks Alpaca's stream protocol, and departs from it when told to."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from sluice_simulators.alpaca.accounts import Account, Accounts
from sluice_simulators.alpaca.batches import MessageBatch
from sluice_simulators.alpaca.connection import ConnectionSettings
from sluice_simulators.alpaca.control import ControlRoutes
from sluice_simulators.alpaca.faults import Fault, FaultScript, MessageFault, StreamFault
from sluice_simulators.alpaca.feeds import Feed
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.messages import Message, now, quote_message
from sluice_simulators.alpaca.port import ListeningPort
from sluice_simulators.alpaca.record import StreamRecord
from sluice_simulators.alpaca.rest import RestRoutes
from sluice_simulators.alpaca.stream_routes import ENDPOINTS, StreamRoutes
from sluice_simulators.tapes import TapeQuote

PATHS = {endpoint.feed: endpoint.path for endpoint in ENDPOINTS}


@dataclass(frozen=True)
class ServerOptions:
    """How the server runs; times in seconds.

    `hold`: how long a connection lost without a close counts as open (error 406; Alpaca's is thought to be 90).
    `backlog`: bytes that a client may leave unread while a feed keeps its pace, before error 407.
    """

    host: str = "127.0.0.1"
    port: int = 0
    auth_timeout: float = 10.0
    hold: float = 0.0
    deflate: bool = True
    tls: ssl.SSLContext | None = None
    backlog: int = 16 << 20
    close_timeout: float = 1.0


class AlpacaServer:
    """`async with AlpacaServer(...) as server: server.url("iex")`."""

    def __init__(
        self,
        accounts: Sequence[Account] = (Account(),),
        feed: Feed | None = None,
        options: ServerOptions | None = None,
    ) -> None:
        """Created inside the event loop that runs it; without a feed only `send` and faults send data."""
        self.options = options or ServerOptions()
        self.record = StreamRecord()
        self.faults = FaultScript()
        self.accounts = Accounts(accounts, self.options.hold)
        self.rest = RestRoutes(self.accounts)
        self.connections = LiveConnections(self.record)
        self._feed = feed
        self._playing: asyncio.Task[None] | None = None
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=self.options.close_timeout)
        self._port = ListeningPort(runner, self.options.tls)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens, and starts the feed; raises OSError if the port is taken."""
        await self._port.listen(self.options.host, self.options.port)
        if self._feed is not None:
            self.play_feed(self._feed)

    async def stop(self) -> None:
        """Closes the connections (1001) and the port; raises what the feed raised, if it failed."""
        feed, self._playing = self._playing, None
        if feed is not None:
            feed.cancel()
        await self.connections.close_all(1001, within=self.options.close_timeout)
        await self._port.close()
        if feed is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await feed

    def url(self, feed: str = "iex") -> str:
        """The stream's address for a feed: iex, sip, delayed_sip, test, boats, overnight, crypto."""
        return f"{'wss' if self.options.tls else 'ws'}://{self.authority}{PATHS[feed]}"

    @property
    def http_url(self) -> str:
        """The address of the control routes."""
        return f"{'https' if self.options.tls else 'http'}://{self.authority}"

    @property
    def authority(self) -> str:
        """host:port."""
        host, port = self._port.address
        return f"{host}:{port}"

    def play_feed(self, feed: Feed) -> asyncio.Task[None]:
        """Plays a feed from now on, in place of the one before; the task ends with it (a tape's end)."""
        if self._playing is not None:
            self._playing.cancel()
        self._playing = asyncio.create_task(feed.play(self.connections))
        return self._playing

    async def wait_for_feed_end(self) -> None:
        """Waits for the end of the feed."""
        if self._playing is not None:
            await asyncio.shield(self._playing)

    async def send(self, messages: Sequence[Message], per_frame: int | None = None) -> int:
        """Sends messages to whoever is subscribed, in one frame unless told otherwise; returns how many went out."""
        return await self.connections.deliver(MessageBatch(messages), per_frame or max(1, len(messages)), wait=True)

    async def send_quote(self, symbol: str, bid: float = 100.0, ask: float = 100.02) -> int:
        """Sends one quote stamped now; returns to how many connections."""
        return await self.send([quote_message(TapeQuote(0, symbol, bid, 200, ask, 300), now())])

    async def inject(self, *faults: Fault, endpoint: str | None = None, connection: int | None = None) -> int:
        """Strikes the open connections (of a feed, or with a record's id) now; returns how many.

        Raises ValueError for a fault of the handshake, which an open connection has behind it.
        """
        late = [fault for fault in faults if isinstance(fault, StreamFault | MessageFault)]
        if len(late) != len(faults):
            raise ValueError("a fault of the handshake cannot be injected: script it with faults.next")
        struck = self.connections.matching(endpoint, connection)
        for each in struck:
            for fault in late:
                await each.apply_fault(fault)
        return len(struck)

    async def refuse_connections(self, seconds: float | None = None) -> None:
        """Refuses TCP connections, for a time or until `accept`; open ones stay."""
        await self._port.refuse_connections(seconds)

    async def accept_connections(self) -> None:
        """Listens again after `refuse`."""
        await self._port.accept_connections()

    def _application(self) -> web.Application:
        rules = ConnectionSettings(self.accounts, self.record, self.options.auth_timeout, self.options.backlog)
        stream_routes = StreamRoutes(
            rules, self.connections, self.faults, self.options.deflate, self.options.close_timeout
        )
        app = web.Application()
        app.add_routes([*stream_routes.routes(), *ControlRoutes(self).routes(), *self.rest.routes()])
        return app
