from datetime import timedelta

import pytest

from sluice_contract.documents import QuoteState
from sluice_runtime.domain.market import DocumentOrigin, Quote, Trade
from sluice_runtime.domain.published_documents import REFRESH_SECONDS, PublishedDocuments, QuoteContent, refresh_seconds
from support.virtual_time import START

HORIZON = START + timedelta(seconds=60)


def quote(at: float = 0.0, bid: float = 1.0) -> Quote:
    ts = START + timedelta(seconds=at)
    return Quote(symbol="A", ts=ts, bid=bid, ask=3.0, bid_size=1.0, ask_size=1.0)


def trade(at: float = 0.0, price: float = 2.5) -> Trade:
    return Trade(symbol="A", ts=START + timedelta(seconds=at), price=price, size=1.0)


def said(*statements: QuoteContent, at: float = 0.0) -> PublishedDocuments:
    book = PublishedDocuments()
    book.mark_contents_written(statements, at)
    return book


def test_the_price_is_that_of_the_last_known_trade_or_else_the_mid() -> None:
    assert QuoteContent(quote=quote()).price == 2.0
    assert QuoteContent(quote=quote(), trade=trade()).price == 2.5


def test_a_document_is_as_new_as_the_newest_part_of_it() -> None:
    origin = DocumentOrigin(source="fake", job="acme/us", session_id="s", epoch=7)
    document = QuoteContent(quote=quote(1), trade=trade(2), status="halted").to_live_quote(origin, 4, START)
    assert document.ts == START + timedelta(seconds=2)
    assert (document.price, document.status, document.seq, document.bid) == (2.5, "halted", 4, 1.0)


def test_a_document_of_unknown_content_is_written() -> None:
    assert PublishedDocuments().needs_write(QuoteContent(quote=quote()), 0.0, REFRESH_SECONDS)


def test_an_equal_quote_of_another_time_is_not_written() -> None:
    book = said(QuoteContent(quote=quote(0)))
    assert not book.needs_write(QuoteContent(quote=quote(5)), 5.0, REFRESH_SECONDS)


@pytest.mark.parametrize(
    "other",
    [
        QuoteContent(quote=quote(bid=1.01)),
        QuoteContent(quote=quote(), trade=trade()),
        QuoteContent(quote=quote(), status="stale"),
    ],
)
def test_another_price_trade_or_status_is_written(other: QuoteContent) -> None:
    assert said(QuoteContent(quote=quote())).needs_write(other, 1.0, REFRESH_SECONDS)


def test_an_equal_quote_is_written_once_its_refresh_is_due() -> None:
    book = said(QuoteContent(quote=quote(0)))
    book.hold_for_refresh(quote(14))
    assert book.take_ticks_due_for_refresh(14.9, REFRESH_SECONDS) == []
    assert book.take_ticks_due_for_refresh(15.0, REFRESH_SECONDS) == [quote(14)]
    assert book.needs_write(QuoteContent(quote=quote(14)), 15.0, REFRESH_SECONDS)
    assert book.take_ticks_due_for_refresh(15.0, REFRESH_SECONDS) == []


def test_a_held_tick_is_dropped_when_a_later_one_is_written() -> None:
    book = said(QuoteContent(quote=quote(0)))
    book.hold_for_refresh(quote(1))
    book.mark_contents_written([QuoteContent(quote=quote(2, bid=2.0))], 2.0)
    assert book.take_ticks_due_for_refresh(100.0, REFRESH_SECONDS) == []


def test_after_a_write_of_unknown_outcome_every_quote_is_written() -> None:
    book = said(QuoteContent(quote=quote()))
    book.mark_content_unknown(["A"])
    assert book.needs_write(QuoteContent(quote=quote()), 1.0, REFRESH_SECONDS)
    assert book.known_status("A") is None


def test_a_mark_changes_what_the_document_is_known_to_say() -> None:
    book = said(QuoteContent(quote=quote()))
    book.mark_status_written(["A", "B"], "stale")
    states: list[QuoteState | None] = [book.known_status("A"), book.known_status("B"), book.known_status("C")]
    assert states == ["stale", "stale", None]
    assert book.needs_write(QuoteContent(quote=quote()), 1.0, REFRESH_SECONDS)
    assert not book.needs_write(QuoteContent(quote=quote(), status="stale"), 1.0, REFRESH_SECONDS)


def test_a_trade_at_another_price_rewrites_the_document_s_quote() -> None:
    book = said(QuoteContent(quote=quote()))
    assert book.ticks_with_changed_price({"A": trade()}) == [quote()]
    assert book.ticks_with_changed_price({"A": trade(price=2.0)}) == []
    assert book.ticks_with_changed_price({"UNSEEN": Trade(symbol="UNSEEN", ts=START, price=1.0, size=1.0)}) == []


def test_a_trade_that_no_longer_counts_changes_the_price_and_not_the_time() -> None:
    before = QuoteContent(quote=quote(1), trade=trade(2))
    book = said(before)
    book.mark_contents_sending([before], HORIZON)
    assert book.ticks_with_changed_price({}) == [quote(1)]
    book.mark_content_unknown(["A"])
    for at in (1.0, 1.5):
        after = book.content_to_write(quote(at), None, "live")
        assert (after.price, after.ts) == (2.0, START + timedelta(seconds=2))
        book.mark_contents_sending([after], HORIZON)
        book.mark_contents_written([after], 3.0)
    assert book.ticks_with_changed_price({}) == []
    assert book.content_to_write(quote(5), None, "live").ts == START + timedelta(seconds=5)
    book.retain_only(frozenset())
    assert book.content_to_write(quote(1), None, "live").ts == START + timedelta(seconds=1)


def test_a_time_far_in_the_future_does_not_block_later_writes() -> None:
    book = PublishedDocuments()
    book.mark_contents_sending([QuoteContent(quote=quote(3600))], HORIZON)
    assert book.content_to_write(quote(1), None, "live").ts == START + timedelta(seconds=1)


def test_a_time_that_turns_out_to_be_wrong_blocks_one_write_at_most() -> None:
    book = PublishedDocuments()
    book.mark_contents_sending([QuoteContent(quote=quote(3600))], START + timedelta(days=1))
    book.mark_contents_sending([book.content_to_write(quote(1), None, "live")], HORIZON)
    assert book.content_to_write(quote(2), None, "live").ts == START + timedelta(seconds=2)


def test_a_trade_at_another_price_writes_the_newest_quote_even_if_suppressed() -> None:
    book = said(QuoteContent(quote=quote()))
    book.hold_for_refresh(quote(1))
    assert book.ticks_with_changed_price({"A": trade(2)}) == [quote(1)]


def test_a_document_is_not_live_until_it_is_known_to_be_live() -> None:
    book = said(QuoteContent(quote=quote()))
    assert book.symbols_not_live() == set()
    book.mark_status_sending(["A"])
    assert (book.symbols_not_live(), book.known_status("A")) == ({"A"}, None)
    book.mark_status_written(["A"], "halted")
    book.mark_content_unknown(["A"])
    assert (book.symbols_not_live(), book.known_status("A")) == ({"A"}, None)
    book.mark_status_written(["A"], "live")
    assert book.symbols_not_live() == set()


def test_only_retained_symbols_are_remembered() -> None:
    book = said(QuoteContent(quote=quote()))
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
