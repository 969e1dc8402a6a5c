"""Alpaca's protocol on one connection: welcome, login, subscriptions and market data."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import get_args

from sluice_contract.spec import Channel
from sluice_contract.symbol_counts import SymbolRejection

from ...domain.failure import StreamError
from ...domain.market import TradeEvent
from ...ports import QUOTES, Listener
from .credentials import Credentials
from .errors import (
    HARMLESS,
    NOT_ENTITLED,
    OF_A_SUBSCRIPTION,
    OF_A_SYMBOL,
    SYMBOL_LIMIT,
    error_of_message,
    rejection_text,
)
from .foreign_content import describe_content
from .messages import (
    BarMessage,
    ErrorMessage,
    Message,
    QuoteMessage,
    StatusMessage,
    SubscriptionMessage,
    SuccessMessage,
    TradeCancelMessage,
    TradeCorrectionMessage,
    TradeMessage,
    to_trade_event,
)
from .websocket import Timeouts, Transport

_log = logging.getLogger(__name__)
_STREAM = {"event_type": "stream"}
_SYMBOLS_LOGGED = 20  # symbols in one log line

Answer = SubscriptionMessage | ErrorMessage

# With fewer messages than this in one turn of the loop, waking up costs more than handling them.
_FEW = 100
# The turns of the loop from the end of a pause of reading until the listener has the data of two reads. The first read
# acknowledges what waits in the socket, and what the peer has held back until then arrives for the second.
_TURNS_TO_DELIVER = 5


class AlpacaConnection:
    """One open connection to Alpaca. `set_subscriptions` waits for answers, which `run` reads.

    The listener gets market data once per turn of the event loop, not once per frame: while more data is available,
    reading does not yield, and one call per quote would cost as much as decoding it. Control messages are handled
    immediately.
    """

    def __init__(self, transport: Transport, listener: Listener, timeouts: Timeouts, *, has_halts: bool) -> None:
        """`has_halts` is True if the feed may report trading halts."""
        self._transport = transport
        self._listener = listener
        self._timeouts = timeouts
        self._halts_wanted = has_halts
        self._held = SubscriptionMessage()
        self._channels: frozenset[Channel] = frozenset()
        self._rejected: dict[str, SymbolRejection] = {}
        self._limit_refusals = 0
        self._asked: deque[tuple[asyncio.Future[Answer], frozenset[int]]] = deque()
        self._quotes: list[Message] = []  # received in this turn of the loop
        self._trade_events: list[TradeEvent] = []  # trades, cancellations and corrections likewise
        self._others: list[Message] = []  # bars and halts likewise
        self._is_due = False  # whether a call of _deliver_batch is scheduled
        self._soon = asyncio.get_running_loop().call_soon

    async def wait_for_welcome(self) -> None:
        """Wait for the welcome message."""
        message = await self._receive_control_message(self._timeouts.welcome, "a welcome")
        if not isinstance(message, SuccessMessage):
            raise error_of_message(message)

    async def log_in(self, credentials: Credentials) -> None:
        """Send the key pair, and wait until Alpaca has accepted it."""
        await self._transport.send({"action": "auth", "key": credentials.key_id, "secret": credentials.secret_key})
        message = await self._receive_control_message(self._timeouts.auth, "an answer to the login")
        if not isinstance(message, SuccessMessage):
            raise error_of_message(message)

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Subscribe to what Alpaca's last acknowledgement lacks, and unsubscribe what is no longer wanted."""
        gone = self._unwanted_subscriptions(symbols, channels)
        self._rejected = {
            symbol: each
            for symbol, each in self._rejected.items()
            # In a full plan, symbols that are unsubscribed now may make room for these.
            if symbol in symbols and channels == self._channels and not (gone and each.code == SYMBOL_LIMIT)
        }
        self._channels = channels
        self._limit_refusals = 0
        if gone:
            await self._send_and_wait_for_answer({"action": "unsubscribe", **gone})
        if new := sorted(symbols - self._symbols_on_all_channels - self._rejected.keys()):
            await self._subscribe_or_reject(new)
        if left_out := sorted(symbols - self._symbols_on_all_channels - self._rejected.keys()):
            shown = ", ".join(left_out[:_SYMBOLS_LOGGED])
            _log.warning("Alpaca's acknowledgement lacks %d symbols: %s", len(left_out), shown, extra=_STREAM)
        self._listener.on_acknowledgement(self._symbols_on_all_channels, tuple(self._rejected.values()))
        if self._halts_wanted and symbols:
            await self._subscribe_to_halts()

    async def run(self) -> None:
        """Read until the socket closes, and then raise StreamError, because a live stream has no end."""
        await self._transport.read_until_closed(self._collect_messages)

    async def deliver_arrived_data(self) -> None:
        # Also if the pause is over: it often ends in the turn in which a flush is due, and nothing has been read since.
        with self._transport.without_pauses():
            for _ in range(_TURNS_TO_DELIVER):
                await asyncio.sleep(0)

    def start_closing(self) -> None:
        self._transport.send_close_frame()

    async def close(self) -> None:
        """Close the socket, and pass the data received before to the listener."""
        try:
            await self._transport.close()
        finally:
            self._deliver_batch()

    @property
    def _symbols_on_all_channels(self) -> frozenset[str]:
        held = [self._held.symbols_of_channel(channel) for channel in self._channels]
        return frozenset.intersection(*held) if held else frozenset()

    def _unwanted_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel]) -> dict[str, list[str]]:
        """Return the symbols that are subscribed but no longer wanted, by channel."""
        every: tuple[Channel, ...] = get_args(Channel)
        wanted = {channel: symbols if channel in channels else frozenset() for channel in every}
        gone = {channel: sorted(self._held.symbols_of_channel(channel) - wanted[channel]) for channel in every}
        return {channel: names for channel, names in gone.items() if names}

    async def _subscribe_or_reject(self, symbols: list[str]) -> None:
        """Subscribe to `symbols`, and record those that Alpaca rejects.

        A refused request is halved, because one bad symbol makes Alpaca refuse all of it.
        """
        if self._limit_refusals >= 2:
            # Two single symbols in a row were refused: the plan is full, and further requests would only take time.
            self._add_rejections(symbols, SYMBOL_LIMIT)
            return
        answer = await self._send_and_wait_for_answer(
            {"action": "subscribe", **dict.fromkeys(sorted(self._channels), symbols)}
        )
        if isinstance(answer, SubscriptionMessage):
            self._limit_refusals = 0
            return
        if len(symbols) == 1 or answer.code not in OF_A_SYMBOL:
            self._limit_refusals += answer.code == SYMBOL_LIMIT
            self._add_rejections(symbols, answer.code)
            return
        middle = len(symbols) // 2
        await self._subscribe_or_reject(symbols[:middle])
        await self._subscribe_or_reject(symbols[middle:])

    def _add_rejections(self, symbols: list[str], code: int) -> None:
        words = rejection_text(code)
        if code == SYMBOL_LIMIT:
            counted = len(self._held.quotes) + len(self._held.trades)
            words = f"{words}: {counted} quote and trade subscriptions are in use, and this plan allows no more"
        self._rejected.update({each: SymbolRejection(symbol=each, code=code, message=words) for each in symbols})

    async def _subscribe_to_halts(self) -> None:
        """Subscribe once to the halts of all symbols. The answer is not awaited: not every feed and plan has halts."""
        self._halts_wanted = False
        await self._send_request({"action": "subscribe", "statuses": ["*"]}, OF_A_SUBSCRIPTION | NOT_ENTITLED)

    async def _send_and_wait_for_answer(self, message: dict[str, object]) -> Answer:
        try:
            async with asyncio.timeout(self._timeouts.ack):
                return await (await self._send_request(message, OF_A_SUBSCRIPTION))
        except TimeoutError:
            raise StreamError(
                "stall", f"Alpaca did not acknowledge a subscription within {self._timeouts.ack:.0f} s; reconnecting"
            ) from None

    async def _send_request(self, message: dict[str, object], tolerated: frozenset[int]) -> asyncio.Future[Answer]:
        """Send a request, and return the future of its answer. Alpaca answers requests in order.

        The error codes in `tolerated` do not end the connection.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((answer, tolerated))
        await self._transport.send(message)
        return answer

    def _collect_messages(self, messages: Sequence[Message]) -> None:
        if not self._is_due:
            self._is_due = True
            self._soon(self._deliver_batch)
        # Runs for every frame: a loop in Python would cost as much as a tenth of the decoding.
        kinds = [*map(type, messages)]
        quote_count = kinds.count(QuoteMessage)
        if quote_count == len(messages):
            self._quotes += messages
        elif quote_count + kinds.count(TradeMessage) == len(messages):
            self._collect_quotes_and_trades(messages, kinds)
        else:
            self._handle_mixed_messages(messages)

    def _collect_quotes_and_trades(self, messages: Sequence[Message], kinds: list[type[Message]]) -> None:
        """Collect the messages of a frame that has only quotes and trades; `kinds` has the type of each."""
        # Taking out the trades is cheaper than looking at each message, because most messages are quotes.
        quotes, index = [*messages], 0
        for _ in range(kinds.count(TradeMessage)):
            index = kinds.index(TradeMessage, index)
            del kinds[index]
            self._trade_events.append(quotes.pop(index))  # type: ignore[arg-type]  # it is a trade
        self._quotes += quotes

    def _handle_mixed_messages(self, messages: Sequence[Message]) -> None:
        for message in messages:
            match message:
                case QuoteMessage():
                    self._quotes.append(message)
                case TradeMessage() | TradeCancelMessage() | TradeCorrectionMessage():
                    self._trade_events.append(to_trade_event(message))
                case SubscriptionMessage():
                    self._held = message
                    self._resolve_oldest_request_or_raise(message)
                case ErrorMessage():
                    if message.code not in HARMLESS:
                        self._resolve_oldest_request_or_raise(message)
                case _:
                    self._others.append(message)

    def _deliver_batch(self) -> None:
        """Pass the data received in this turn to the listener, and pause reading if there was little of it."""
        if not self._is_due:
            return
        self._is_due = False
        quotes, trade_events, others = self._quotes, self._trade_events, self._others
        self._quotes, self._trade_events, self._others = [], [], []
        if trade_events:
            self._listener.on_trades(trade_events)
        if others:
            self._deliver_bars_and_halts(others)
        self._listener.on_ticks(quotes)  # type: ignore[arg-type]  # all of them are quotes
        if len(quotes) + len(trade_events) + len(others) < _FEW:
            self._transport.pause_reading_briefly()

    def _deliver_bars_and_halts(self, messages: Sequence[Message]) -> None:
        bars = [each.to_bar() for each in messages if isinstance(each, BarMessage)]
        statuses = [each.to_halt() for each in messages if isinstance(each, StatusMessage)]
        halts = [each for each in statuses if each is not None]
        if bars:
            self._listener.on_bars(bars)
        if halts:
            self._listener.on_halts(halts)

    def _resolve_oldest_request_or_raise(self, message: Answer) -> None:
        """Pass the answer to the oldest request that waits for one. Raises StreamError for any other error message."""
        answer, tolerated = self._asked[0] if self._asked else (None, OF_A_SUBSCRIPTION)
        if isinstance(message, ErrorMessage) and message.code not in tolerated:
            raise error_of_message(message)
        if answer is not None:
            self._asked.popleft()
            if not answer.done():
                answer.set_result(message)

    async def _receive_control_message(self, seconds: float, what: str) -> Message:
        """Return the next message during welcome and login, when only control messages arrive.

        An error reports what arrived instead.
        """
        received = ""  # words for the first frame without a known message
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self._transport.receive_frame()
                    if frame.messages:
                        return frame.messages[0]
                    received = received or f"; it sent {describe_content(frame.content)}"
        except TimeoutError:
            sentence = f"Alpaca did not send {what} within {seconds:.0f} s{received}; reconnecting"
            raise StreamError("stall", sentence) from None
        except StreamError as error:
            if not received:
                raise
            raise StreamError(error.kind, f"Alpaca did not send {what}{received}; {error.message}") from None
