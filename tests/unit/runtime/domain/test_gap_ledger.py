from datetime import UTC, datetime, timedelta

import msgspec

from sluice_contract.gap_documents import GapRepair
from sluice_contract.status import StreamGap
from sluice_runtime.domain.desired import UNREAD_OBJECTS, Desired, with_pause
from sluice_runtime.domain.gap_ledger import GapLedger
from sluice_runtime.domain.market import Quote
from sluice_runtime.domain.pause import PauseInForce
from support.runtime_fakes import desired
from support.virtual_time import START

SECOND = timedelta(seconds=1)
BOTH = frozenset({"AAPL", "MSFT"})


def pausing(paused: frozenset[str], declared: frozenset[str]) -> Desired:
    """Return the desired state with these declared and paused symbols."""
    return desired(symbols=sorted(declared), pausedSymbols=[{"symbol": symbol} for symbol in sorted(paused)])


def ledger_with_gap(at: int = 0) -> GapLedger:
    """Return a ledger with one closed gap."""
    ledger = GapLedger(START)
    ledger.begin_gap(START + at * SECOND, "stall")
    ledger.end_gap(START + (at + 1) * SECOND, BOTH)
    return ledger


def test_a_closed_gap_waits_with_the_symbols_of_the_job_until_it_is_written() -> None:
    ledger = ledger_with_gap()
    [gap] = ledger.waiting(10)
    assert (gap.gap.cause, gap.symbols, gap.is_of_job) == ("stall", ("AAPL", "MSFT"), True)
    assert gap.repair == GapRepair(open_symbols=2)
    assert ledger.waiting(10) == [gap]
    ledger.mark_written([gap])
    assert ledger.waiting(10) == []


def test_data_may_be_missing_since_the_last_message_of_the_connection() -> None:
    for last, expected in ((None, 0), (START - SECOND, 0), (START + 5 * SECOND, 5), (START + 99 * SECOND, 10)):
        ledger = GapLedger(START)
        ledger.end_gap(START, BOTH)  # live since START
        ledger.begin_gap(START + 10 * SECOND, "stall", last)
        ledger.begin_gap(START + 11 * SECOND, "stall", START + 11 * SECOND)  # already open
        ledger.end_gap(START + 12 * SECOND, BOTH)
        [gap] = ledger.waiting(10)
        assert (gap.gap.from_, gap.last_message_at) == (START + 10 * SECOND, START + expected * SECOND)


def test_data_may_be_missing_since_the_last_quote_was_sent_not_since_it_arrived() -> None:
    ledger = GapLedger(START)
    ledger.end_gap(START, BOTH)
    sent = Quote(symbol="AAPL", ts=START + 4 * SECOND, bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0)
    ledger.begin_gap(START + 10 * SECOND, "stall", START + 5 * SECOND, sent)
    ledger.end_gap(START + 12 * SECOND, BOTH)
    assert ledger.waiting(1)[0].last_message_at == START + 4 * SECOND


def test_closing_without_an_open_gap_records_nothing() -> None:
    ledger = GapLedger(START)
    ledger.end_gap(START, BOTH)
    assert (ledger.closed_gaps, ledger.waiting(10)) == ((), [])


def test_a_repair_during_a_write_is_written_next() -> None:
    ledger = ledger_with_gap()
    [gap] = ledger.waiting(10)
    ledger.record_repair(gap, GapRepair(trades=5, bars=1, open_symbols=0))
    ledger.mark_written([gap])
    [changed] = ledger.waiting(10)
    assert (changed.key, changed.repair.trades) == (gap.key, 5)


def test_at_most_a_hundred_gaps_wait_and_the_oldest_is_dropped() -> None:
    ledger = GapLedger(START)
    for n in range(101):
        ledger.begin_gap(START + n * SECOND, "disconnect")
        ledger.end_gap(START + n * SECOND, BOTH)
    waiting = ledger.waiting(1000)
    to_repair = [*iter(lambda: ledger.take_gap_to_repair(datetime.max.replace(tzinfo=UTC)), None)]
    assert [len(waiting), len(to_repair)] == [100, 100]
    assert waiting[0].gap.from_ == START + SECOND
    assert [ledger.take_dropped_count(), ledger.take_dropped_count()] == [1, 0]


def test_a_pause_is_the_cause_of_a_gap_that_lasts() -> None:
    ledger = GapLedger(START)
    ledger.begin_gap(START, "disconnect")
    ledger.follow_pauses(with_pause(desired(), PauseInForce(source="spec.enabled")), START + SECOND)
    ledger.end_gap(START + 2 * SECOND, BOTH)
    assert ledger.closed_gaps == (StreamGap(from_=START, to=START + 2 * SECOND, cause="pause"),)


def test_symbols_that_were_paused_together_share_a_gap() -> None:
    ledger = GapLedger(START)
    ledger.follow_pauses(pausing(frozenset(), BOTH), START)
    ledger.follow_pauses(pausing(BOTH, BOTH), START + SECOND)
    ledger.end_symbol_gaps(BOTH, START + 3 * SECOND)
    [gap] = ledger.waiting(10)
    assert gap.gap == StreamGap(from_=START + SECOND, to=START + 3 * SECOND, cause="pause")
    assert (gap.symbols, gap.is_of_job) == (("AAPL", "MSFT"), False)


def test_symbols_that_were_paused_one_after_the_other_have_a_gap_each() -> None:
    ledger = GapLedger(START)
    ledger.follow_pauses(pausing(frozenset(), BOTH), START)
    ledger.follow_pauses(pausing(frozenset({"AAPL"}), BOTH), START + SECOND)
    ledger.follow_pauses(pausing(BOTH, BOTH), START + 2 * SECOND)
    ledger.end_symbol_gaps(frozenset({"AAPL"}), START + 3 * SECOND)
    ledger.end_symbol_gaps(BOTH, START + 4 * SECOND)
    gaps = [(each.symbols, each.gap.from_, each.gap.to) for each in ledger.waiting(10)]
    assert gaps == [
        (("AAPL",), START + SECOND, START + 3 * SECOND),
        (("MSFT",), START + 2 * SECOND, START + 4 * SECOND),
    ]


def test_a_pause_that_began_before_this_process_counts_from_its_start() -> None:
    ledger = GapLedger(START)
    ledger.follow_pauses(pausing(frozenset({"AAPL"}), BOTH), START + SECOND)
    ledger.end_symbol_gaps(BOTH, START + 2 * SECOND)
    assert ledger.waiting(1)[0].gap.from_ == START


def test_a_recorded_start_of_a_pause_is_taken_over_if_it_is_earlier() -> None:
    ledger, paused = GapLedger(START), frozenset({"AAPL"})
    ledger.follow_pauses(pausing(paused, BOTH), START + SECOND)
    ledger.inherit_pause_starts({"AAPL": START - 9 * SECOND, "MSFT": START - 9 * SECOND})
    ledger.inherit_pause_starts({"AAPL": START + 9 * SECOND})
    assert (ledger.paused_since("AAPL"), ledger.paused_since("MSFT")) == (START - 9 * SECOND, None)
    ledger.end_symbol_gaps(BOTH, START + 2 * SECOND)
    assert [each.gap.from_ for each in ledger.waiting(10)] == [START - 9 * SECOND]


def test_symbols_that_are_added_as_paused_or_removed_while_paused_have_no_gap() -> None:
    ledger = GapLedger(START)
    ledger.follow_pauses(pausing(frozenset(), BOTH), START)
    ledger.follow_pauses(pausing(frozenset({"AAPL", "NEW"}), BOTH | {"NEW"}), START + SECOND)
    ledger.follow_pauses(pausing(frozenset({"NEW"}), frozenset({"MSFT", "NEW"})), START + 2 * SECOND)
    ledger.end_symbol_gaps(frozenset({"AAPL", "MSFT", "NEW"}), START + 3 * SECOND)
    assert ledger.waiting(10) == []


def test_a_repair_keeps_the_gap_itself() -> None:
    [gap] = ledger_with_gap().waiting(1)
    assert msgspec.structs.replace(gap, repair=GapRepair(open_symbols=0)).key == gap.key


def test_a_gap_is_repaired_once_it_has_ended_for_long_enough() -> None:
    ledger = ledger_with_gap()
    end = START + SECOND
    assert ledger.take_gap_to_repair(ended_by=end - timedelta(microseconds=1)) is None
    taken = ledger.take_gap_to_repair(ended_by=end)
    assert taken is not None
    assert taken.gap.to == end
    assert ledger.take_gap_to_repair(ended_by=end + SECOND) is None


def test_gaps_to_publish_are_taken_once_and_again_after_their_repair() -> None:
    ledger = GapLedger(START)
    assert ledger.take_gaps_to_publish() == []
    ledger.expect_publication()
    ledger.begin_gap(START, "stall")
    ledger.end_gap(START + SECOND, BOTH)
    [gap] = ledger.take_gaps_to_publish()
    assert ledger.take_gaps_to_publish() == []
    assert ledger.waiting(10) == [gap]
    ledger.record_repair(gap, GapRepair(open_symbols=0, trades=3))
    [repaired] = ledger.take_gaps_to_publish()
    assert (repaired.gap, repaired.repair.trades) == (gap.gap, 3)


def test_nothing_is_kept_to_be_published_unless_it_is_expected() -> None:
    ledger = ledger_with_gap()
    assert ledger.take_gaps_to_publish() == []


def test_a_process_that_has_not_read_its_pauses_yet_changes_neither_a_gap_nor_the_paused_symbols() -> None:
    ledger = GapLedger(START)
    ledger.begin_gap(START - 9 * SECOND, "restart")
    ledger.follow_pauses(with_pause(pausing(frozenset(), BOTH), UNREAD_OBJECTS), START + SECOND)
    assert ledger.open_gap is not None
    assert ledger.open_gap.cause == "restart"
    ledger.follow_pauses(pausing(frozenset({"AAPL"}), BOTH), START + 2 * SECOND)
    ledger.end_symbol_gaps(BOTH, START + 3 * SECOND)
    [gap] = ledger.waiting(10)
    assert (gap.symbols, gap.gap.from_) == (("AAPL",), START)  # it was paused when the process started
