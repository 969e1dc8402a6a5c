import pytest

from sluice_runtime.domain.market import Quote
from sluice_runtime.domain.sale_conditions import REGULAR_SALE
from sluice_runtime.providers.ibkr.market_data_builder import MarketDataBuilder, TickData
from support.virtual_time import START

NAN = float("nan")


def quote(book: MarketDataBuilder, *ticks: tuple[int, float, float]) -> Quote | None:
    """Return the quote that results from the ticks (type, price, size) of one frame."""
    frame: list[TickData] = [(START, kind, price, size) for kind, price, size in ticks]
    return book.apply_ticks(frame, START).quote


@pytest.fixture
def book() -> MarketDataBuilder:
    """A quote builder that has both sides."""
    made = MarketDataBuilder("AAPL")
    quote(made, (1, 10.0, 200), (2, 11.0, 300))
    return made


def test_both_sides_of_a_frame_are_one_quote_stamped_with_its_arrival() -> None:
    assert quote(MarketDataBuilder("AAPL"), (1, 10.0, 200), (2, 11.0, 300)) == Quote(
        symbol="AAPL", ts=START, bid=10.0, ask=11.0, bid_size=200, ask_size=300
    )


def test_a_side_without_any_tick_is_none() -> None:
    found = quote(MarketDataBuilder("AAPL"), (1, 10.0, 200))
    assert found is not None
    assert (found.bid, found.ask, found.ask_size) == (10.0, None, None)


@pytest.mark.parametrize(("price", "size"), [(-1.0, 0.0), (NAN, NAN), (0.0, 100.0), (-1.0, 100.0), (10.0, 0.0)])
def test_a_side_without_a_price_or_a_size_is_none(book: MarketDataBuilder, price: float, size: float) -> None:
    found = quote(book, (1, price, size))
    assert found is not None
    assert (found.bid, found.bid_size, found.ask) == (None, None, 11.0)


def test_a_size_alone_changes_the_size_and_none_ends_the_side(book: MarketDataBuilder) -> None:
    found = quote(book, (0, 99.0, 500))
    assert found is not None
    assert (found.bid, found.bid_size) == (10.0, 500)
    found = quote(book, (3, NAN, 0))
    assert found is not None
    assert (found.ask, found.ask_size) == (None, None)


@pytest.mark.parametrize("kind", [6, 8, 9, 66, 67, 68])
def test_other_and_delayed_ticks_make_no_quote(book: MarketDataBuilder, kind: int) -> None:
    assert quote(book, (kind, 99.0, 1)) is None


@pytest.mark.parametrize("kind", [*range(4), *range(6, 100)])
def test_only_the_last_price_and_the_last_size_make_a_trade(book: MarketDataBuilder, kind: int) -> None:
    # Not used, for example: 9 close, 14 open, 37 mark price, 45 time of the last trade, 48 and 77 RTVolume (with trades
    # that IBKR does not let set the last price), 57 last yield, 68 delayed last, 76 delayed open.
    assert book.apply_ticks([(START, kind, 99.0, 100)], START).trade is None


@pytest.mark.parametrize("kind", [4, 5])
def test_a_trade_of_ibkr_is_a_regular_sale_because_ibkr_applies_the_conditions(
    book: MarketDataBuilder, kind: int
) -> None:
    trade = book.apply_ticks([(START, kind, 10.5, 100)], START).trade
    assert trade is not None
    assert (trade.price, trade.id, trade.rule) == (10.5, None, REGULAR_SALE)


@pytest.mark.parametrize("price", [0.0, -1.0, NAN, float("inf")])
def test_a_trade_without_a_valid_price_is_none(book: MarketDataBuilder, price: float) -> None:
    assert book.apply_ticks([(START, 4, price, 100)], START).trade is None


def test_a_trade_comes_with_its_price_or_as_a_size_at_the_last_one(book: MarketDataBuilder) -> None:
    changes = book.apply_ticks([(START, 4, 10.5, 100)], START)
    assert changes.trade is not None
    assert (changes.trade.price, changes.trade.size, changes.quote) == (10.5, 100, None)
    assert book.apply_ticks([(START, 5, 10.5, 300)], START).trade is not None
    assert book.apply_ticks([(START, 4, -1.0, 0)], START).trade is None


def test_a_halt_is_reported_once(book: MarketDataBuilder) -> None:
    halts = [book.apply_ticks([(START, 49, value, 0)], START).halt for value in (0, 1, 1, 2, 0)]
    assert [each.halted if each else None for each in halts] == [False, True, None, True, False]
