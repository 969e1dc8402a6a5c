"""The dialogue with Alpaca, over a fake transport without a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pytest

from sluice_contract.spec import Channel
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market import TradeCancellation, TradeCorrection
from sluice_runtime.providers.alpaca.connection import AlpacaConnection
from sluice_runtime.providers.alpaca.credentials import Credentials
from sluice_runtime.providers.alpaca.messages import (
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
)
from sluice_runtime.providers.alpaca.websocket import Frame, Timeouts
from support.fake_listener import FakeListener

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
BOTH: frozenset[Channel] = frozenset({"quotes", "trades"})


class FakeWire:
    """A server that accepts up to `limit` quotes and trades, and rejects whole requests for `refused` channels."""

    clock_reading: ClockReading | None = None

    def __init__(self, limit: int = 10_000) -> None:
        self.sent: list[dict[str, Any]] = []
        self.limit = limit
        self.refused: dict[str, int] = {}  # a channel that the feed does not have, and the error code for it
        self.held: dict[str, set[str]] = {"quotes": set(), "trades": set(), "statuses": set()}
        self._frames: asyncio.Queue[Sequence[Message]] = asyncio.Queue()
        self.rests = 0
        self.arrived: list[Sequence[Message]] = []  # frames that wait in the socket
        self.close_frames = 0
        self.at_close: Sequence[Message] = ()  # a frame that arrives during the close

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self.say(self._answer(message))

    async def receive_frame(self) -> Frame:
        return Frame(await self._frames.get(), b"")

    async def read_until_closed(self, take: Callable[[Sequence[Message]], None]) -> None:
        self._take = take
        while True:
            take(await self._frames.get())

    def pause_reading_briefly(self) -> None:
        self.rests += 1

    @contextmanager
    def without_pauses(self) -> Iterator[None]:
        """Read what has arrived during the pause in the next turns of the event loop, as a socket does."""
        loop, read = asyncio.get_running_loop(), self.arrived
        for turn, frame in enumerate(read):
            later = partial(loop.call_soon, self._take, frame)
            loop.call_soon(partial(loop.call_soon, later) if turn else later)
        self.arrived = []
        yield

    def send_close_frame(self) -> None:
        self.close_frames += 1

    async def close(self) -> None:
        if self.at_close:
            self._take(self.at_close)

    def say(self, *messages: Message) -> None:
        self._frames.put_nowait(messages)

    def _answer(self, message: dict[str, Any]) -> Message:
        changes = {name: set(names) for name, names in message.items() if name != "action"}
        for channel in changes.keys() & self.refused.keys():
            return ErrorMessage(code=self.refused[channel], msg="no")
        sign = set.union if message["action"] == "subscribe" else set.difference
        after = {name: sign(held, changes.get(name, set())) for name, held in self.held.items()}
        if len(after["quotes"]) + len(after["trades"]) > self.limit:
            return ErrorMessage(code=405, msg="symbol limit exceeded")
        self.held = after
        return SubscriptionMessage(**{name: sorted(held) for name, held in after.items()})


@asynccontextmanager
async def reading(
    wire: FakeWire, listener: FakeListener, *, has_halts: bool = False
) -> AsyncIterator[AlpacaConnection]:
    connection = AlpacaConnection(wire, listener, Timeouts(), has_halts=has_halts)
    task = asyncio.create_task(connection.run())
    try:
        yield connection
        await asyncio.sleep(0.1)
        assert not task.done()
    finally:
        await cancel_and_wait(task)


async def test_the_start_of_a_close_sends_the_close_frame_at_once() -> None:
    wire = FakeWire()
    async with reading(wire, FakeListener()) as connection:
        connection.start_closing()
        assert wire.close_frames == 1


async def test_a_symbol_is_confirmed_when_all_of_its_channels_are() -> None:
    wire, listener = FakeWire(), FakeListener()
    async with reading(wire, listener) as connection:
        await connection.set_subscriptions(frozenset({"A", "B"}), BOTH)
        assert wire.sent == [{"action": "subscribe", "quotes": ["A", "B"], "trades": ["A", "B"]}]
        assert listener.confirmed == {"A", "B"}
        await connection.set_subscriptions(frozenset({"B"}), frozenset({"quotes"}))
        assert wire.sent[1:] == [{"action": "unsubscribe", "quotes": ["A"], "trades": ["A", "B"]}]
        assert (listener.confirmed, wire.held["quotes"], wire.held["trades"]) == (frozenset({"B"}), {"B"}, set[str]())


async def test_quotes_and_trades_count_towards_the_plan_and_excess_symbols_are_rejected_without_a_request() -> None:
    wire, listener = FakeWire(limit=30), FakeListener()
    names = frozenset(f"S{n:03}" for n in range(500))
    async with reading(wire, listener) as connection:
        await connection.set_subscriptions(names, BOTH)
        assert (len(listener.confirmed), len(listener.rejected)) == (15, 485)
        assert {each.message for each in listener.rejected} == {
            "symbol limit exceeded: 30 quote and trade subscriptions are in use, and this plan allows no more"
        }
        assert len(wire.sent) < 30
        await connection.set_subscriptions(names, frozenset({"quotes"}))
        assert (len(listener.confirmed), len(listener.rejected)) == (30, 470)


async def test_the_room_of_a_removed_symbol_is_used_by_another() -> None:
    wire, listener = FakeWire(limit=1), FakeListener()
    async with reading(wire, listener) as connection:
        await connection.set_subscriptions(frozenset({"A", "B"}))
        assert (listener.confirmed, [each.symbol for each in listener.rejected]) == (frozenset({"A"}), ["B"])
        await connection.set_subscriptions(frozenset({"B"}))
        assert (listener.confirmed, listener.rejected) == (frozenset({"B"}), ())


async def test_a_channel_that_the_feed_does_not_have_is_rejected_without_halving() -> None:
    wire, listener = FakeWire(), FakeListener()
    wire.refused["trades"] = 410
    async with reading(wire, listener) as connection:
        await connection.set_subscriptions(frozenset({"A", "B"}), BOTH)
        assert [(each.symbol, each.code) for each in listener.rejected] == [("A", 410), ("B", 410)]
        assert len(wire.sent) == 1


async def test_halts_are_requested_once_and_a_plan_without_them_loses_no_symbol() -> None:
    for code in (None, 409, 410):
        wire, listener = FakeWire(), FakeListener()
        wire.refused = {} if code is None else {"statuses": code}
        async with reading(wire, listener, has_halts=True) as connection:
            await connection.set_subscriptions(frozenset({"A"}))
            await connection.set_subscriptions(frozenset({"A", "B"}))
            assert [each for each in wire.sent if "statuses" in each] == [{"action": "subscribe", "statuses": ["*"]}]
            assert listener.confirmed == {"A", "B"}


async def test_trades_bars_and_halts_are_delivered_beside_quotes() -> None:
    wire, listener = FakeWire(), FakeListener()
    async with reading(wire, listener):
        wire.say(
            QuoteMessage(symbol="A", ts=AT, bid=1.0),
            TradeMessage(symbol="A", ts=AT, price=1.5, size=3.0, id=7, exchange="D"),
            TradeCorrectionMessage(
                symbol="A", original_id=7, original_price=1.5, id=8, price=1.25, exchange="D", ts=AT
            ),
            TradeCancelMessage(symbol="A", id=8, price=1.25, exchange="D", ts=AT),
            BarMessage(symbol="A", ts=AT, open=1.0, high=2.0, low=0.5, close=1.5, volume=10.0),
            StatusMessage(symbol="A", ts=AT, code="H", reason="News pending"),
            StatusMessage(symbol="A", ts=AT, code="5"),
            StatusMessage(symbol="A", ts=AT, code="T"),
        )
    assert [each.symbol for each in listener.ticks] == ["A"]
    trade, correction, cancellation = listener.trade_events
    assert trade == TradeMessage(symbol="A", ts=AT, price=1.5, size=3.0, id=7, exchange="D")
    assert correction == TradeCorrection(
        symbol="A", ts=AT, exchange="D", original_id=7, original_price=1.5, id=8, price=1.25
    )
    assert cancellation == TradeCancellation(symbol="A", ts=AT, id=8, exchange="D", price=1.25)
    assert [(each.low, each.volume) for each in listener.bars] == [(0.5, 10.0)]
    assert [(each.halted, each.code, each.reason) for each in listener.halts] == [
        (True, "H", "News pending"),
        (False, "T", ""),
    ]


async def test_the_quotes_of_one_turn_of_the_loop_are_passed_on_together() -> None:
    wire, listener = FakeWire(), FakeListener()
    async with reading(wire, listener):
        for bid in (1.0, 2.0, 3.0):
            wire.say(QuoteMessage(symbol="A", ts=AT, bid=bid))
        await asyncio.sleep(0.1)
        wire.say(QuoteMessage(symbol="A", ts=AT, bid=4.0))
    assert [[tick.to_quote().bid for tick in ticks] for _, ticks in listener.frames] == [[1.0, 2.0, 3.0], [4.0]]


async def test_an_answer_does_not_wait_for_the_quotes_that_came_with_it() -> None:
    wire, listener = FakeWire(), FakeListener()
    connection = AlpacaConnection(wire, listener, Timeouts(), has_halts=False)
    task = asyncio.create_task(connection.run())
    await asyncio.sleep(0)
    wire.say(QuoteMessage(symbol="A", ts=AT, bid=1.0), ErrorMessage(code=500, msg="internal error"))
    with pytest.raises(StreamError):
        await task
    await connection.close()
    assert [tick.to_quote().bid for tick in listener.ticks] == [1.0]


async def test_ticks_during_the_close_are_delivered_before_its_end_and_none_after() -> None:
    wire, listener = FakeWire(), FakeListener()
    connection = AlpacaConnection(wire, listener, Timeouts(), has_halts=False)
    task = asyncio.create_task(connection.run())
    await asyncio.sleep(0)
    wire.at_close = [QuoteMessage(symbol="A", ts=AT, bid=1.0)]
    await connection.close()
    assert [tick.to_quote().bid for tick in listener.ticks] == [1.0]
    await cancel_and_wait(task)
    assert len(listener.frames) == 1


async def test_reading_is_paused_between_few_quotes_and_not_between_many() -> None:
    wire, listener = FakeWire(), FakeListener()
    async with reading(wire, listener):
        wire.say(*[QuoteMessage(symbol="A", ts=AT, bid=1.0)] * 100)
        await asyncio.sleep(0.1)
        assert wire.rests == 0
        wire.say(*[QuoteMessage(symbol="A", ts=AT, bid=1.0)] * 99)
        await asyncio.sleep(0.1)
        assert wire.rests == 1


async def test_data_that_arrives_while_reading_pauses_is_delivered_on_request() -> None:
    wire, listener = FakeWire(), FakeListener()
    async with reading(wire, listener) as connection:
        await asyncio.sleep(0)
        await connection.deliver_arrived_data()
        wire.say(QuoteMessage(symbol="A", ts=AT, bid=1.0))
        await asyncio.sleep(0.1)
        wire.arrived += [[QuoteMessage(symbol="A", ts=AT, bid=bid)] for bid in (2.0, 3.0)]
        before = asyncio.get_running_loop().time()
        await connection.deliver_arrived_data()
        assert asyncio.get_running_loop().time() == before
        assert [tick.to_quote().bid for tick in listener.ticks] == [1.0, 2.0, 3.0]


async def test_a_server_that_returns_the_login_is_described_without_the_key_pair() -> None:
    class EchoingWire(FakeWire):
        """A server that returns each message as text."""

        async def receive_frame(self) -> Frame:
            if not self.sent:
                return Frame([SuccessMessage(msg="connected")], b"")
            if len(self.sent) > 1:
                await asyncio.Event().wait()
            self.sent.append({})
            return Frame((), msgspec.json.encode(self.sent[0]).decode())

        def _answer(self, message: dict[str, Any]) -> Message:
            return SuccessMessage(msg="ignored")

    connection = AlpacaConnection(EchoingWire(), FakeListener(), Timeouts(auth=0.1), has_halts=False)
    await connection.wait_for_welcome()
    with pytest.raises(StreamError, match="did not send an answer to the login within 0 s; it sent JSON") as failure:
        await connection.log_in(Credentials("the-key-id", "the-secret-key"))
    assert "the-key-id" not in failure.value.message
    assert "the-secret-key" not in failure.value.message
