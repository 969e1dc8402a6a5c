"""ib_async's client under the runtime's own supervision. Imported only if a job uses provider ibkr.

ib_async does not end a refused login before its timeout, distinguish errors from notices, limit its waits, or close a
socket with a dead peer. Each connection has its own client, so that no state of one connection remains for the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ib_async import IB, Contract, StartupFetchNONE

from sluice_contract.ibkr import IBKRSettings

from ...aio.shielding import finish_despite_cancellation
from ...domain.failure import StreamError
from .messages import (
    IBKRTimeouts,
    Outages,
    connection_closed_error,
    connection_end_error,
    not_ready_error,
    unreachable_error,
)

_log = logging.getLogger(__name__)

# ib_async logs the account's positions, and an error for each unknown tick.
logging.getLogger("ib_async").setLevel(logging.CRITICAL)

RefusalHandler = Callable[[Contract, int, str], None]


class _Client(IB):
    """ib_async's client without its automatic requests about the account."""

    def reqAutoOpenOrders(self, autoBind: bool = True) -> None:  # noqa: N802, N803  ib_async's
        """Do nothing. ib_async would let client 0 take over manually placed orders."""

    def _onError(self, reqId: int, errorCode: int, errorString: str, contract: Contract | None) -> None:  # noqa: N802, N803
        """Do nothing. After code 1102, ib_async would subscribe to the account's balance."""


class Gateway:
    """One connection to an IB Gateway or TWS, and its state."""

    def __init__(self, settings: IBKRSettings, timeouts: IBKRTimeouts) -> None:
        self.client = _Client()
        self.outages = Outages()
        self.attention_needed = asyncio.Event()  # the connection has ended, or subscriptions must be renewed
        self.reachable = asyncio.Event()  # requests can be answered
        self.unthrottled = asyncio.Event()  # requests are sent immediately
        self.on_worse_outage: Callable[[], None] = lambda: None
        self.on_refusal: RefusalHandler = lambda contract, code, words: None
        self.settings = settings
        self._timeouts = timeouts
        self._end_reason: StreamError | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_open = False
        self.reachable.set()
        self.unthrottled.set()

    @property
    def end_reason(self) -> StreamError | None:
        """The error that ended the connection; None while it is open."""
        return self._end_reason

    async def open(self) -> None:
        """Connect, and return once the gateway accepts requests.

        Raises:
            StreamError: the connection cannot be opened. Everything is closed.
        """
        self._register_handlers()
        opening = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait(
                {opening, self._over}, timeout=self._timeouts.connect, return_when=asyncio.FIRST_COMPLETED
            )
            if (failure := self._opening_failure(opening)) is not None:
                raise failure
        except BaseException:
            await finish_despite_cancellation(self._abort_opening(opening))
            raise
        self._is_open = True
        # ib_async always subscribes to the account's positions.
        self.client.client.cancelPositions()

    async def close(self) -> None:
        """Close the socket immediately, whatever the peer does."""
        socket, gone = self.client.client.conn, asyncio.Event()
        if socket.transport is None:
            return
        socket.disconnected += lambda _: gone.set()
        self.start_closing()
        await gone.wait()

    def start_closing(self) -> None:
        """Close the socket immediately, without waiting until asyncio reports it as closed."""
        if (transport := self.client.client.conn.transport) is not None:
            with suppress(OSError):
                self.client.client.disconnect()
            transport.abort()

    def end_connection(self, error: StreamError) -> None:
        """End the connection because of `error`, unless it has already ended."""
        self._record_first_end(error)

    def lost_connection_error(self) -> StreamError:
        """Return the StreamError for a request that failed because the connection is lost."""
        return self._end_reason or connection_closed_error(self.settings)

    async def _connect(self) -> None:
        # ib_async's timeout applies to each step, and on Python 3.11 a cancellation can get lost in it.
        await self.client.connectAsync(
            self.settings.host,
            self.settings.port,
            self.settings.client_id,
            timeout=None,
            readonly=True,
            fetchFields=StartupFetchNONE,
        )

    def _opening_failure(self, opening: asyncio.Task[None]) -> StreamError | None:
        if self._end_reason is not None:
            return self._end_reason
        if not opening.done():
            return not_ready_error(self.settings, f"did not answer within {self._timeouts.connect:.0f} s")
        error = opening.exception()
        return unreachable_error(self.settings, error) if error is not None else None

    async def _abort_opening(self, opening: asyncio.Task[None]) -> None:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await self.close()

    def _register_handlers(self) -> None:
        self.client.errorEvent += self._on_message
        self.client.client.apiError += self._on_api_error
        self.client.disconnectedEvent += self._on_disconnected
        self.client.client.throttleStart += self.unthrottled.clear
        self.client.client.throttleEnd += self.unthrottled.set

    def _on_message(self, request: int, code: int, words: str, contract: Contract | None) -> None:
        if contract is not None:
            self.on_refusal(contract, code, words)
            return
        # Messages about a request are not logged, such as one for cancelling a refused subscription.
        if request < 0:
            _log.info("IBKR reports: %s (code %d)", words, code, extra={"event_type": "stream"})
        self._record_first_end(connection_end_error(code, words, self.settings))
        changed = self.outages.apply_message(code, words)
        if self.outages.is_lost:
            self.reachable.clear()
        else:
            self.reachable.set()
        if changed == "worse":
            self.on_worse_outage()
        elif changed == "better" and not self.outages.is_lost:
            self.attention_needed.set()

    def _on_api_error(self, words: Any) -> None:
        # Only before the client is ready; later errors arrive as the end of the connection.
        if not self._is_open and self.client.client.conn.transport is not None:
            self._record_first_end(
                not_ready_error(self.settings, f"closed the connection while it was being opened ({words})")
            )

    def _on_disconnected(self) -> None:
        self._record_first_end(connection_closed_error(self.settings))

    def _record_first_end(self, error: StreamError | None) -> None:
        if error is None or self._end_reason is not None:
            return
        self._end_reason = error
        self._over.set_result(None)
        for waited_for in (self.attention_needed, self.reachable, self.unthrottled):
            waited_for.set()
