"""A market-data server that follows Alpaca's stream protocol, and deviates from it on request."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from typing import Self

from aiohttp import web

from sluice_relay.protocol.messages import Message, now
from sluice_simulators.alpaca.accounts import Account, Accounts
from sluice_simulators.alpaca.batches import MessageBatch
from sluice_simulators.alpaca.connection import ConnectionSettings
from sluice_simulators.alpaca.control import ControlRoutes
from sluice_simulators.alpaca.faults import Fault, FaultScript, MessageFault, StreamFault
from sluice_simulators.alpaca.feeds import Feed
from sluice_simulators.alpaca.history import HistoryRoutes
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.port import ListeningPort
from sluice_simulators.alpaca.quotes import quote_message
from sluice_simulators.alpaca.record import StreamRecord
from sluice_simulators.alpaca.rest import RestRoutes, utc_now
from sluice_simulators.alpaca.stream_routes import ENDPOINTS, StreamRoutes
from sluice_simulators.tapes import TapeQuote

PATHS = {endpoint.feed: endpoint.path for endpoint in ENDPOINTS}


@dataclass(frozen=True)
class ServerOptions:
    """The options of the server; times are in seconds.

    `hold`: how long a connection lost without a close frame counts as open (error 406); Alpaca's own value is thought
    to be 90.

    `backlog`: the bytes that a client may leave unread before error 407, while a feed plays at a fixed pace.
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
    """The simulated Alpaca server: `async with AlpacaServer(...) as server: server.url("iex")`."""

    def __init__(
        self,
        accounts: Sequence[Account] = (Account(),),
        feed: Feed | None = None,
        options: ServerOptions | None = None,
    ) -> None:
        """Create the server in the event loop that runs it; without a feed, only `send` and faults send data."""
        self.options = options or ServerOptions()
        self.record = StreamRecord()
        self.faults = FaultScript()
        self.accounts = Accounts(accounts, self.options.hold)
        self.rest = RestRoutes(self.accounts)
        self.history = HistoryRoutes(self.rest)
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
        """Listen, and start the feed; raise OSError if the port is taken."""
        await self._port.listen(self.options.host, self.options.port)
        if self._feed is not None:
            self.play_feed(self._feed)

    async def stop(self) -> None:
        """Close the connections (1001) and the port; if the feed failed, raise its exception."""
        feed, self._playing = self._playing, None
        if feed is not None:
            feed.cancel()
        await self.connections.close_all(1001, within=self.options.close_timeout)
        await self._port.close()
        if feed is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await feed

    def url(self, feed: str = "iex") -> str:
        """Return the stream's address for a feed: iex, sip, delayed_sip, test, boats, overnight or crypto."""
        return f"{'wss' if self.options.tls else 'ws'}://{self.authority}{PATHS[feed]}"

    @property
    def http_url(self) -> str:
        """The base address of the control routes and the REST routes."""
        return f"{'https' if self.options.tls else 'http'}://{self.authority}"

    @property
    def authority(self) -> str:
        """The host and the port of the server, as `host:port`."""
        host, port = self._port.address
        return f"{host}:{port}"

    def play_feed(self, feed: Feed) -> asyncio.Task[None]:
        """Play a feed from now on, instead of the previous one; the returned task ends when the feed ends."""
        if self._playing is not None:
            self._playing.cancel()
        self._playing = asyncio.create_task(feed.play(self.connections))
        return self._playing

    async def wait_for_feed_end(self) -> None:
        """Wait until the feed ends."""
        if self._playing is not None:
            await asyncio.shield(self._playing)

    async def send(self, messages: Sequence[Message], per_frame: int | None = None) -> int:
        """Send messages to the connections that are subscribed to them; return the number of messages sent.

        Without `per_frame`, all messages go in one frame. Trades and bars are then also in the REST API's history.
        """
        self.history.record(messages)
        return await self.connections.deliver(MessageBatch(messages), per_frame or max(1, len(messages)), wait=True)

    async def send_quote(self, symbol: str, bid: float = 100.0, ask: float = 100.02) -> int:
        """Send one quote, stamped now, to its subscribers; return the number of messages sent."""
        return await self.send([quote_message(TapeQuote(0, symbol, bid, 200, ask, 300), now())])

    async def inject(self, *faults: Fault, endpoint: str | None = None, connection: int | None = None) -> int:
        """Apply faults now to the open connections of a feed or with a record id; return the number of connections.

        Raises ValueError for a handshake fault, because an open connection is past its handshake.
        """
        late = [fault for fault in faults if isinstance(fault, StreamFault | MessageFault)]
        if len(late) != len(faults):
            raise ValueError("a handshake fault cannot be injected: script it with faults.schedule")
        faulty = self.connections.find_connections(endpoint, connection)
        for each in faulty:
            for fault in late:
                await each.apply_fault(fault)
        return len(faulty)

    async def refuse_connections(self, seconds: float | None = None) -> None:
        """Refuse TCP connections for `seconds`, or until `accept_connections` if None; open connections stay."""
        await self._port.refuse_connections(seconds)

    async def accept_connections(self) -> None:
        """Listen again after `refuse_connections`."""
        await self._port.accept_connections()

    def _application(self) -> web.Application:
        rules = ConnectionSettings(self.accounts, self.record, self.options.auth_timeout, self.options.backlog)
        stream_routes = StreamRoutes(
            rules, self.connections, self.faults, self.options.deflate, self.options.close_timeout
        )
        app = web.Application()
        app.on_response_prepare.append(self._set_date_header)
        app.add_routes(
            [*stream_routes.routes(), *ControlRoutes(self).routes(), *self.rest.routes(), *self.history.routes()]
        )
        return app

    async def _set_date_header(self, _: web.Request, response: web.StreamResponse) -> None:
        if self.rest.clock is not utc_now:  # otherwise aiohttp or a fault has set it
            response.headers["Date"] = format_datetime(self.rest.clock().astimezone(UTC), usegmt=True)
