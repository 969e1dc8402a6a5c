from datetime import timedelta

import pytest

from sluice_contract.documents import QuoteState
from sluice_runtime.domain.market import DocumentOrigin, Quote, Tick, Trade
from sluice_runtime.domain.published_documents import REFRESH_SECONDS, PublishedDocuments, QuoteContent, refresh_seconds
from support.virtual_time import START

HORIZON = START + timedelta(seconds=60)


def quote(at: float = 0.0, bid: float = 1.0) -> Quote:
    ts = START + timedelta(seconds=at)
    return Quote(symbol="A", ts=ts, bid=bid, ask=1.2, bid_size=1.0, ask_size=1.0)


def trade(at: float = 0.0, price: float = 2.5) -> Trade:
    return Trade(symbol="A", ts=START + timedelta(seconds=at), price=price)


def content(quote: Quote, trade: Trade | None = None, status: QuoteState = "live") -> QuoteContent:
    return PublishedDocuments().content_to_write(quote, trade, status, 0.0)


def changed(book: PublishedDocuments, trade: Trade | None, at: float = 1.0, *, halted: bool = False) -> list[Tick]:
    """Return the ticks whose price has changed, where `trade` is the last trade of each symbol."""
    return book.ticks_with_changed_price(lambda _: trade, lambda _: halted, at)


def said(*statements: QuoteContent, at: float = 0.0) -> PublishedDocuments:
    book = PublishedDocuments()
    book.mark_contents_written(statements, at)
    return book


def test_the_price_is_that_of_the_last_known_trade_or_else_the_mid() -> None:
    assert (content(quote()).price, content(quote()).price_basis) == (1.1, "mid")
    assert (content(quote(), trade()).price, content(quote(), trade()).price_basis) == (2.5, "trade")


def test_a_halted_symbol_has_no_price_and_another_status_has() -> None:
    assert (content(quote(), trade(), "halted").price, content(quote(), trade(), "stale").price) == (None, 2.5)


def test_a_document_is_as_new_as_the_newest_part_of_it() -> None:
    origin = DocumentOrigin(source="fake", job="acme/us", session_id="s", epoch=7)
    document = content(quote(1), trade(2), "stale").to_live_quote(origin, 4, START)
    assert document.ts == START + timedelta(seconds=2)
    assert (document.price, document.price_basis, document.status) == (2.5, "trade", "stale")
    assert (document.seq, document.bid) == (4, 1.0)


def test_the_document_has_the_quote_its_writer_and_the_older_field_names() -> None:
    origin = DocumentOrigin(source="alpaca:iex", job="acme/us", session_id="s", epoch=7)
    written_at = START + timedelta(seconds=1)
    half = Quote(symbol="A", ts=START, bid=1.0, ask=None, bid_size=1.0, ask_size=2.0)
    assert content(half).to_live_quote(origin, 3, written_at).document_fields() == {
        "symbol": "A",
        "bid": 1.0,
        "ask": None,
        "bid_size": 1.0,
        "ask_size": 2.0,
        "price": None,
        "ts": START,
        "source": "alpaca:iex",
        "job": "acme/us",
        "session_id": "s",
        "seq": 3,
        "epoch": 7,
        "written_at": written_at,
        "status": "live",
        "price_basis": None,
        "bid_price": 1.0,
        "ask_price": None,
        "last_trade_price": None,
        "last_update_ts": START,
    }


def test_a_document_of_unknown_content_is_written() -> None:
    assert PublishedDocuments().needs_write(content(quote()), 0.0, REFRESH_SECONDS)


def test_an_equal_quote_of_another_time_is_not_written() -> None:
    book = said(content(quote(0)))
    assert not book.needs_write(content(quote(5)), 5.0, REFRESH_SECONDS)


@pytest.mark.parametrize(
    "other",
    [
        content(quote(bid=1.01)),
        content(quote(), trade()),
        content(quote(), None, "stale"),
    ],
)
def test_another_price_trade_or_status_is_written(other: QuoteContent) -> None:
    assert said(content(quote())).needs_write(other, 1.0, REFRESH_SECONDS)


def test_an_equal_quote_is_written_once_its_refresh_is_due() -> None:
    book = said(content(quote(0)))
    book.hold_for_refresh(quote(14))
    assert book.take_ticks_due_for_refresh(14.9, REFRESH_SECONDS) == []
    assert book.take_ticks_due_for_refresh(15.0, REFRESH_SECONDS) == [quote(14)]
    assert book.needs_write(content(quote(14)), 15.0, REFRESH_SECONDS)
    assert book.take_ticks_due_for_refresh(15.0, REFRESH_SECONDS) == []


def test_a_held_tick_is_dropped_when_a_later_one_is_written() -> None:
    book = said(content(quote(0)))
    book.hold_for_refresh(quote(1))
    book.mark_contents_written([content(quote(2, bid=2.0))], 2.0)
    assert book.take_ticks_due_for_refresh(100.0, REFRESH_SECONDS) == []


def test_after_a_write_of_unknown_outcome_every_quote_is_written() -> None:
    book = said(content(quote()))
    book.mark_content_unknown(["A"])
    assert book.needs_write(content(quote()), 1.0, REFRESH_SECONDS)
    assert book.known_status("A") is None


def test_a_mark_changes_what_the_document_is_known_to_say() -> None:
    book = said(content(quote()))
    book.mark_status_written(["A", "B"], "stale")
    states: list[QuoteState | None] = [book.known_status("A"), book.known_status("B"), book.known_status("C")]
    assert states == ["stale", "stale", None]
    assert book.needs_write(content(quote()), 1.0, REFRESH_SECONDS)
    assert not book.needs_write(content(quote(), None, "stale"), 1.0, REFRESH_SECONDS)


def test_a_trade_rewrites_the_document_s_quote_if_it_changes_the_price_or_its_basis() -> None:
    book = said(content(quote()))
    assert changed(book, trade()) == [quote()]
    assert changed(book, trade(price=1.1)) == [quote()]
    assert changed(book, None) == []
    book = said(content(quote(), trade()))
    assert changed(book, trade(1)) == []
    assert changed(PublishedDocuments(), trade()) == []


def test_a_trade_that_no_longer_counts_changes_the_price_and_not_the_time() -> None:
    before = content(quote(1), trade(2))
    book = said(before)
    book.mark_contents_sending([before], HORIZON)
    assert changed(book, None) == [quote(1)]
    book.mark_content_unknown(["A"])
    for at in (1.0, 1.5):
        after = book.content_to_write(quote(at), None, "live", 3.0)
        assert (after.price, after.ts) == (1.1, START + timedelta(seconds=2))
        book.mark_contents_sending([after], HORIZON)
        book.mark_contents_written([after], 3.0)
    assert changed(book, None) == []
    assert book.content_to_write(quote(5), None, "live", 3.0).ts == START + timedelta(seconds=5)
    book.retain_only(frozenset())
    assert book.content_to_write(quote(1), None, "live", 3.0).ts == START + timedelta(seconds=1)


def test_a_halt_and_its_end_rewrite_the_document_even_if_its_status_was_written_before() -> None:
    book = said(content(quote(), trade()))
    last = trade()
    book.mark_contents_written([content(quote(), last)], 0.0)
    book.mark_status_written(["A"], "halted")
    assert changed(book, last, halted=True) == [quote()]
    book.mark_contents_written([book.content_to_write(quote(), last, "halted", 1.0)], 1.0)
    assert changed(book, last, halted=True) == []
    assert changed(book, last) == [quote()]


def test_a_market_that_stays_locked_loses_its_price_without_another_quote() -> None:
    book = PublishedDocuments()
    book.mark_contents_written([book.content_to_write(quote(), None, "live", 0.0)], 0.0)
    locked = quote(1, bid=1.2)
    book.prices.observe_waiting_ticks([locked], 10.0)
    book.mark_contents_written([book.content_to_write(locked, None, "live", 10.0)], 10.0)
    assert changed(book, None, 11.0) == []
    assert changed(book, None, 11.1) == [locked]


def test_another_bound_of_the_spread_determines_all_prices_again() -> None:
    book = said(content(quote()))
    assert changed(book, None) == []
    book.set_max_spread_percent(10)
    assert changed(book, None) == [quote()]
    assert book.content_to_write(quote(), None, "live", 1.0).price is None


def test_a_time_far_in_the_future_does_not_block_later_writes() -> None:
    book = PublishedDocuments()
    book.mark_contents_sending([content(quote(3600))], HORIZON)
    assert book.content_to_write(quote(1), None, "live", 0.0).ts == START + timedelta(seconds=1)


def test_a_time_that_turns_out_to_be_wrong_blocks_one_write_at_most() -> None:
    book = PublishedDocuments()
    book.mark_contents_sending([QuoteContent(quote=quote(3600))], START + timedelta(days=1))
    book.mark_contents_sending([book.content_to_write(quote(1), None, "live", 0.0)], HORIZON)
    assert book.content_to_write(quote(2), None, "live", 0.0).ts == START + timedelta(seconds=2)


def test_a_trade_at_another_price_writes_the_newest_quote_even_if_suppressed() -> None:
    book = said(content(quote()))
    book.hold_for_refresh(quote(1))
    assert changed(book, trade(2)) == [quote(1)]


def test_a_document_is_not_live_until_it_is_known_to_be_live() -> None:
    book = said(content(quote()))
    assert book.symbols_not_live() == set()
    book.mark_status_sending(["A"])
    assert (book.symbols_not_live(), book.known_status("A")) == ({"A"}, None)
    book.mark_status_written(["A"], "halted")
    book.mark_content_unknown(["A"])
    assert (book.symbols_not_live(), book.known_status("A")) == ({"A"}, None)
    book.mark_status_written(["A"], "live")
    assert book.symbols_not_live() == set()


def test_only_retained_symbols_are_remembered() -> None:
    book = said(content(quote()))
    book.hold_for_refresh(quote(1))
    book.mark_status_written(["B"], "paused")
    book.retain_only(frozenset())
    assert (book.known_status("A"), book.known_status("B"), book.take_ticks_due_for_refresh(99.0, 0.0)) == (
        None,
        None,
        [],
    )


def test_refreshes_leave_two_thirds_of_the_write_rate_to_changes() -> None:
    assert refresh_seconds(1.0) == 15.0
    assert refresh_seconds(100.0) == 300.0
