import pytest

from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.last_values import LastValues
from sluice_runtime.domain.market import Halt, Quote, Trade
from sluice_runtime.domain.newest_quotes import NewestQuotes
from sluice_runtime.domain.published_documents import PublishedDocuments
from support.virtual_time import START

SYMBOLS = frozenset({"AAPL"})
INTERVAL = 1.0


class World:
    """The state that one symbol's quotes pass through on their way to Firestore."""

    def __init__(self) -> None:
        self.coalescer, self.documents, self.last_values = Coalescer(), PublishedDocuments(), LastValues()
        self.coalescer.set_wanted_symbols(SYMBOLS, SYMBOLS)
        self.quotes = NewestQuotes(self.coalescer, self.documents, self.last_values)

    def bid(self) -> float | None:
        found = self.quotes.find_quote("AAPL", 0.0)
        return found.quote.bid if found is not None else None

    def receive(self, bid: float) -> None:
        self.coalescer.queue_newest_ticks([quote(bid)], START)

    def write(self, at: float) -> None:
        due = self.coalescer.take_due_ticks(10, at, INTERVAL)
        contents = [self.documents.content_to_write(tick.to_quote(), None, "live", at) for tick in due]
        self.documents.mark_contents_written(contents, at)


def quote(bid: float) -> Quote:
    return Quote(symbol="AAPL", ts=START, bid=bid, ask=bid + 0.1, bid_size=1.0, ask_size=1.0)


@pytest.fixture
def world() -> World:
    return World()


def test_a_symbol_without_quotes_has_none(world: World) -> None:
    assert (world.bid(), world.quotes.seconds_of_last_write("AAPL")) == (None, None)


def test_a_waiting_quote_counts_before_a_held_one_and_that_before_the_written_one(world: World) -> None:
    world.receive(1.0)
    assert world.bid() == 1.0
    world.write(10.0)
    assert (world.bid(), world.quotes.seconds_of_last_write("AAPL")) == (1.0, 10.0)
    world.documents.hold_for_refresh(quote(2.0))
    assert world.bid() == 2.0
    world.receive(3.0)
    assert world.bid() == 3.0


def test_quotes_that_a_pause_dropped_are_still_known(world: World) -> None:
    world.receive(1.0)
    world.coalescer.drop_queue()
    assert world.bid() == 1.0


def test_the_price_is_the_last_trade_if_there_is_one(world: World) -> None:
    world.receive(1.0)
    found = world.quotes.find_quote("AAPL", 0.0)
    assert found is not None
    assert found.price == 1.05
    world.last_values.set_kept_symbols(SYMBOLS, SYMBOLS, frozenset({"trades"}))
    world.last_values.record_trades([Trade(symbol="AAPL", ts=START, price=1.25, size=1.0)], START)
    found = world.quotes.find_quote("AAPL", 0.0)
    assert found is not None
    assert (found.price, found.price_basis) == (1.25, "trade")
    world.last_values.record_halts([Halt(symbol="AAPL", ts=START, halted=True, code="H", reason="")])
    found = world.quotes.find_quote("AAPL", 0.0)
    assert found is not None
    assert found.price is None
