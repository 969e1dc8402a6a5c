"""A simulated IB Gateway with the part of the protocol that market data needs."""

import asyncio
from collections.abc import Callable
from typing import Self

from sluice_simulators.tws.connection import GatewayBehavior, GatewayConnection
from sluice_simulators.tws.record import GatewayRecord
from sluice_simulators.tws.wire import encode_message, error_message, price_tick_message

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HALTED = 0, 1, 2, 3, 4, 5, 49


class TWSServer:
    """The simulated gateway: `async with TWSServer() as gateway: gateway.port`."""

    def __init__(self) -> None:
        """Create the gateway in the event loop that runs it."""
        self.record = GatewayRecord()
        self.behavior = GatewayBehavior()
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._connections: dict[GatewayConnection, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self.accept_connections()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse_connections()
        self.drop_connections()
        await asyncio.gather(*self._connections.values(), return_exceptions=True)

    async def accept_connections(self) -> None:
        """Listen on a free port; after `refuse_connections`, on the same port as before."""
        self._listener = await asyncio.start_server(self._serve_connection, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def refuse_connections(self) -> None:
        """Stop listening; open connections stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def drop_connections(self, *, reset: bool = False) -> None:
        """End all connections, with a FIN or with `reset` by aborting them."""
        for each in list(self._connections):
            each.close(reset=reset)

    def send_notice(self, code: int, words: str = "") -> None:
        """Send all clients a notice about the connection."""
        for each in self._connections:
            each.send(error_message(-1, code, words))

    def send_symbol_error(self, symbol: str, code: int, words: str) -> None:
        """Send an error to each subscription of the symbol."""
        self._send_to_subscribers(symbol, lambda request: error_message(request, code, words))

    def forget_subscriptions(self) -> None:
        """Drop all subscriptions without notice to the clients."""
        for each in self._connections:
            each.record.subscribed.clear()

    def send_quote(self, symbol: str, bid: float, ask: float, bid_size: float = 200, ask_size: float = 300) -> int:
        """Send both sides of a quote in one write; return the number of subscriptions that got it.

        An empty side has price -1 and size 0.
        """
        return self._send_to_subscribers(
            symbol,
            lambda request: (
                price_tick_message(request, BID, bid, bid_size) + price_tick_message(request, ASK, ask, ask_size)
            ),
        )

    def send_price(self, symbol: str, kind: int, price: float, size: float) -> int:
        """Send one side of a quote, or a trade; return the number of subscriptions that got it."""
        return self._send_to_subscribers(symbol, lambda request: price_tick_message(request, kind, price, size))

    def send_size(self, symbol: str, kind: int, size: float) -> int:
        """Send a new size at an unchanged price; return the number of subscriptions that got it."""
        return self._send_to_subscribers(symbol, lambda request: encode_message(2, 6, request, kind, size))

    def send_halt(self, symbol: str, value: int) -> int:
        """Send a halt status (0: trading, 1 or 2: halted); return the number of subscriptions that got it."""
        return self._send_to_subscribers(symbol, lambda request: encode_message(45, 6, request, HALTED, value))

    def _send_to_subscribers(self, symbol: str, message: Callable[[int], bytes]) -> int:
        sent = 0
        for each in self._connections:
            for request in [known for known, name in each.record.subscribed.items() if name == symbol]:
                each.send(message(request))
                sent += 1
        return sent

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = GatewayConnection(self.behavior, self.record, writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.run(reader)
        finally:
            del self._connections[connection]
