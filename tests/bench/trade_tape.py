"""The server of the throughput bench with trades: `python -m bench.trade_tape TAPE MESSAGES_PER_FRAME`.

It repeats the quotes of a tape as fast as the client reads, with a trade after each fourth quote. Alpaca's simulator
plays tapes of quotes only.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from sluice_simulators.alpaca import AlpacaServer, ServerOptions, StockTrade, quote_message
from sluice_simulators.alpaca.accounts import Account
from sluice_simulators.alpaca.batches import Framing, MessageBatch
from sluice_simulators.alpaca.encoding import Codec
from sluice_simulators.alpaca.live_connections import LiveConnections
from sluice_simulators.alpaca.messages import Message, timestamp
from sluice_simulators.alpaca.subscription import Subscription
from sluice_simulators.tapes import TapeQuote, read_tape

QUOTES_PER_TRADE = 4
_BATCH = 512
# The conditions of common trades: most are odd lots, one in five is outside of regular hours.
_CONDITIONS = (("@",), ("@", "I"), ("@", "F"), ("@", "F", "I"), ("@", "T"))


class _EncodedBatch:
    """A batch of messages whose frames are encoded once. Each connection must be subscribed to all of them."""

    def __init__(self, content: Sequence[Message]) -> None:
        self._content = MessageBatch(content)
        self._raw: dict[int, tuple[bytes, int]] = {}

    def encoded_messages(self, codec: Codec, subscription: Subscription) -> Sequence[bytes]:
        return self._content.encoded_messages(codec, subscription)

    def raw_frames(self, framing: Framing, subscription: Subscription) -> tuple[bytes, int]:
        if framing.per_frame not in self._raw:
            self._raw[framing.per_frame] = self._content.raw_frames(framing, subscription)
        return self._raw[framing.per_frame]

    def subscribed_messages(self, subscription: Subscription) -> list[Message]:
        return self._content.subscribed_messages(subscription)


class TradeTapeFeed:
    """Repeats quotes and trades until cancelled."""

    def __init__(self, quotes: Sequence[TapeQuote], per_frame: int) -> None:
        messages = _messages_with_trades(quotes)
        self._per_frame = per_frame
        self._batches = [_EncodedBatch(messages[n : n + _BATCH]) for n in range(0, len(messages), _BATCH)]

    async def play(self, connections: LiveConnections) -> None:
        await connections.wait_for_subscriptions(())
        for batch in cycle(self._batches):
            await connections.wait_for_subscriptions(())
            await connections.deliver(batch, self._per_frame, wait=True)
            await asyncio.sleep(0)


def _messages_with_trades(quotes: Sequence[TapeQuote]) -> list[Message]:
    messages: list[Message] = []
    for number, quote in enumerate(quotes):
        messages.append(quote_message(quote))
        if number % QUOTES_PER_TRADE == 0:
            conditions = _CONDITIONS[number // QUOTES_PER_TRADE % len(_CONDITIONS)]
            trade = StockTrade(quote.symbol, quote.ask, 100, id=number, exchange="D", conditions=conditions)
            messages.append(trade.trade_message(timestamp(quote.time_ms * 1_000_000)))
    return messages


async def _serve(tape: Path, per_frame: int) -> None:
    feed = TradeTapeFeed(list(read_tape(tape)), per_frame)
    async with AlpacaServer([Account("key", "secret")], feed, ServerOptions(deflate=False)) as server:
        print(json.dumps({"url": server.url("iex"), "control": server.http_url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
