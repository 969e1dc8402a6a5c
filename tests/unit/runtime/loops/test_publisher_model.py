"""After any events in any order, each document has the newest values and the correct status."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from sluice_contract.documents import LiveQuote
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.domain.market import Halt, Quote, Trade
from support.runtime_fakes import desired, quote
from support.runtime_worlds import PAUSE, FlushingWorld
from support.virtual_time import at, now, seconds

NAMES = [f"S{n}" for n in range(12)]
SPEC: dict[str, Any] = {"channels": ["quotes", "trades"], "limits": {"writesPerSecond": 5, "burst": 5}}


def expected_price(quote: Quote, trade: Trade | None, status: str) -> tuple[float | None, str | None]:
    """Return the price and its basis minutes after the last event."""
    if status == "halted":
        return None, None
    if trade is not None:
        return trade.price, "trade"
    assert quote.bid is not None
    assert quote.ask is not None
    spread = quote.ask - quote.bid
    if not 0 < spread <= (quote.ask + quote.bid) / 2 * 0.2:
        return None, None
    return (quote.ask + quote.bid) / 2, "mid"


class Model:
    """A flusher with random events, and the expected final content of its documents."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = FlushingWorld(desired(symbols=NAMES, **SPEC))
        self.world.sink.seconds = self.chance.choice((0.0, 0.0, 0.4, 1.5))
        self.declared, self.paused, self.is_dry, self.is_halted = set(NAMES), set[str](), False, False
        self.quotes: dict[str, Quote] = {}
        self.trades: dict[str, Trade] = {}
        self._take = self.world.sink.write_quotes
        self.world.sink.write_quotes = self._write_or_doubt  # type: ignore[method-assign]

    async def _write_or_doubt(self, quotes: Sequence[LiveQuote]) -> None:
        await self._take(quotes)
        if self.chance.random() < 0.1:
            raise SinkError("the write was stored, and its response was lost")

    def want(self) -> None:
        paused = [{"symbol": each} for each in sorted(self.paused & self.declared)]
        wanted = desired(symbols=sorted(self.declared), pausedSymbols=paused, dryRun=self.is_dry, **SPEC)
        self.world.want(with_pause(wanted, PAUSE) if self.is_halted else wanted)

    async def pause(self) -> None:
        """Pause the whole job, as the supervisor does, and change the job meanwhile."""
        self.is_halted = True
        self.want()
        await self.world.flusher.drain_and_close()
        before = len(self.world.sink.writes)
        for _ in range(3):
            await asyncio.sleep(self.chance.random())
            self.declare(self.chance.choice(NAMES))
        assert len(self.world.sink.writes) == before
        self.is_halted = False
        self.want()
        self.world.flusher.reopen_and_requeue_dropped()

    def declare(self, symbol: str) -> None:
        """Add the symbol to the job, or remove it."""
        if len(self.declared) > 2:
            self.declared ^= {symbol}
            self.want()
            for book in (self.quotes, self.trades):
                if symbol not in self.declared:
                    book.pop(symbol, None)

    async def something_happens(self, price: float) -> None:
        symbol, kind = self.chance.choice(NAMES), self.chance.random()
        is_streamed = symbol in self.declared - self.paused
        if kind < 0.60 and is_streamed:
            self.quotes[symbol] = quote(symbol, bid=price)
            self.world.runtime.stream.on_ticks([self.quotes[symbol]])
        elif kind < 0.70 and is_streamed:
            self.trades[symbol] = Trade(symbol=symbol, ts=now(), price=price, size=1.0)
            self.world.runtime.stream.on_trades([self.trades[symbol]])
        elif kind < 0.74:
            was = self.world.runtime.market.quote_states.is_halted(symbol)
            self.world.runtime.stream.on_halts([Halt(symbol=symbol, ts=now(), halted=not was, code="H", reason="news")])
        else:
            await self.something_else_happens(symbol, kind)

    async def something_else_happens(self, symbol: str, kind: float) -> None:
        """Change something other than market data: the job, the sink or the pod."""
        if kind < 0.78:
            self.paused ^= {symbol}
            self.want()
        elif kind < 0.80:
            self.world.sink.failure = None if self.world.sink.failure else SinkError("away")
        elif kind < 0.81:
            self.is_dry = not self.is_dry
            self.want()
        elif kind < 0.83:
            self.declare(symbol)
        elif kind < 0.835:
            await self.pause()

    def all_is_well_again(self) -> None:
        self.world.sink.failure, self.is_dry = None, False
        self.paused.clear()
        self.want()


@pytest.mark.parametrize("seed", range(20))
async def test_the_final_documents_are_correct_after_random_events(seed: int) -> None:
    model = Model(seed)
    async with model.world.running():
        moment = 0.0
        for n in range(400):
            moment += model.chance.random() * 0.4
            await at(max(moment, seconds()))
            await model.something_happens(float(n + 2))
        model.all_is_well_again()
        await at(seconds() + 300)
    documents, states = model.world.sink.quotes, model.world.runtime.market.quote_states
    assert documents.keys() <= model.declared
    assert model.quotes.keys() <= documents.keys()
    for symbol, newest in model.quotes.items():
        found, trade = documents[symbol], model.trades.get(symbol)
        assert (found["bid"], found["status"]) == (newest.bid, states.state_of_document(symbol))
        assert (found["price"], found["price_basis"]) == expected_price(newest, trade, found["status"])


async def test_a_pause_in_an_outage_loses_no_value_permanently() -> None:
    world = FlushingWorld()
    async with world.running():
        world.say("AAPL", bid=1.0)
        await at(2)
        world.sink.failure = SinkError("away")
        world.say("AAPL", bid=2.0)
        await at(4)
        await world.flusher.drain_and_close()
        world.sink.failure = None
        await asyncio.sleep(60)
        assert world.sink.quotes["AAPL"]["bid"] == 1.0
        world.flusher.reopen_and_requeue_dropped()
        await asyncio.sleep(2)
        assert world.sink.quotes["AAPL"]["bid"] == 2.0
