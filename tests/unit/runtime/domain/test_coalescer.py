from datetime import timedelta

import pytest

from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.market import Quote
from sluice_runtime.domain.token_bucket import TokenBucket
from support.virtual_time import START

FOREVER = START + timedelta(days=1)


def tick(symbol: str, at: float = 0.0, bid: float = 1.0) -> Quote:
    ts = START + timedelta(seconds=at)
    return Quote(symbol=symbol, ts=ts, bid=bid, ask=2.0, bid_size=1.0, ask_size=1.0)


def coalescer(*symbols: str) -> Coalescer:
    made = Coalescer()
    made.set_wanted_symbols(frozenset(symbols))
    return made


def symbols(ticks: list[Quote] | list) -> list[str]:  # type: ignore[type-arg]
    return [each.symbol for each in ticks]


def test_a_burst_leaves_the_last_tick() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", n, bid=n) for n in range(1000)], FOREVER)
    assert line.take_due_ticks(10, 0.0, 1.0) == [tick("A", 999, bid=999)]
    assert (line.received, line.coalesced, len(line)) == (1000, 999, 0)


def test_a_conflated_symbol_keeps_its_place_in_the_queue() -> None:
    line = coalescer("A", "B", "C")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1), tick("C", 1), tick("A", 2), tick("B", 2)], FOREVER)
    assert line.take_due_ticks(3, 0.0, 1.0) == [tick("A", 2), tick("B", 2), tick("C", 1)]


def test_the_waiting_ticks_are_the_newest_of_the_symbols_in_the_queue() -> None:
    line = coalescer("A", "B", "C")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1), tick("A", 2)], FOREVER)
    assert list(line.waiting_ticks()) == [tick("A", 2), tick("B", 1)]
    line.take_due_ticks(1, 0.0, 1.0)
    assert list(line.waiting_ticks()) == [tick("B", 1)]


def test_a_symbol_is_not_taken_again_before_its_interval_is_over() -> None:
    line = coalescer("A")
    taken = []
    for n in range(21):
        line.queue_newest_ticks([tick("A", n)], FOREVER)
        taken += [n for _ in line.take_due_ticks(10, n * 0.2, 1.0)]
    assert taken == [0, 5, 10, 15, 20]


def test_a_symbol_that_is_not_due_keeps_its_place_and_others_pass() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 1)], FOREVER)
    line.take_due_ticks(10, 0.0, 1.0)
    line.queue_newest_ticks([tick("A", 2), tick("B", 2)], FOREVER)
    assert symbols(line.take_due_ticks(10, 0.5, 1.0)) == ["B"]
    assert symbols(line.take_due_ticks(10, 1.0, 1.0)) == ["A"]


@pytest.mark.parametrize("count", [20, 30, 100, 300])
def test_no_symbol_waits_longer_than_one_round_of_all(count: int) -> None:
    names = [f"S{n}" for n in range(count)]
    line, budget = coalescer(*names), TokenBucket(20, 40, 0.0)
    last, worst = dict.fromkeys(names, 0.0), 0.0
    for turn in range(1, 301):
        at = turn * 0.2
        line.queue_newest_ticks([tick(name, at) for name in names], FOREVER)
        taken = line.take_due_ticks(budget.available_tokens(at), at, 1.0)
        budget.spend_tokens(len(taken))
        for each in taken:
            worst = max(worst, at - last[each.symbol])
            last[each.symbol] = at
    assert worst <= max(1.0, count / 20) + 0.2
    assert min(last.values()) > 0


def test_a_tick_older_than_one_seen_is_dropped_even_after_that_was_written() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 10)], FOREVER)
    line.take_due_ticks(1, 0.0, 0.0)
    line.queue_newest_ticks([tick("A", 9)], FOREVER)
    assert (line.out_of_order, len(line)) == (1, 0)


def test_of_two_ticks_with_one_time_the_later_arrival_is_kept() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 1, bid=1), tick("A", 1, bid=2)], FOREVER)
    assert line.take_due_ticks(1, 0.0, 0.0) == [tick("A", 1, bid=2)]


def test_a_stamp_from_the_future_is_written_and_does_not_silence_the_symbol() -> None:
    line = coalescer("A")
    horizon = START + timedelta(seconds=5)
    line.queue_newest_ticks([tick("A", 3600)], horizon)
    assert line.take_due_ticks(1, 0.0, 0.0) == [tick("A", 3600)]
    line.queue_newest_ticks([tick("A", 1)], horizon)
    assert line.take_due_ticks(1, 1.0, 0.0) == [tick("A", 1)]
    assert line.out_of_order == 0


def test_the_order_of_ticks_is_kept_where_all_of_them_are_later_than_expected() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 30)], START)
    line.queue_newest_ticks([tick("A", 25, bid=90.0)], START)
    assert line.take_due_ticks(1, 0.0, 0.0) == [tick("A", 30)]
    assert line.out_of_order == 1


def test_a_snapshot_replaces_a_wrong_timestamp() -> None:
    line = coalescer("A")
    horizon = START + timedelta(seconds=5)
    line.queue_newest_ticks([tick("A", 3600)], horizon)
    assert line.newest_tick_time("A") is None
    assert line.queue_snapshot_ticks([tick("A", 3601)], horizon) == 0
    assert line.queue_snapshot_ticks([tick("A", 1)], horizon) == 1
    assert line.newest_tick_time("A") == START + timedelta(seconds=1)


def test_ticks_that_could_not_be_written_return_to_the_head_of_the_queue() -> None:
    line = coalescer("A", "B", "C")
    line.queue_newest_ticks([tick("A"), tick("B")], FOREVER)
    taken = line.take_due_ticks(2, 0.0, 1.0)
    line.queue_newest_ticks([tick("C")], FOREVER)
    line.requeue_at_head(taken)
    assert symbols(line.take_due_ticks(3, 0.2, 1.0)) == ["A", "B", "C"]


def test_a_newer_tick_is_not_replaced_by_a_returned_one() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1)], FOREVER)
    taken = line.take_due_ticks(2, 0.0, 1.0)
    line.queue_newest_ticks([tick("B", 2)], FOREVER)
    line.requeue_at_head(taken)
    assert line.take_due_ticks(2, 0.2, 1.0) == [tick("A", 1), tick("B", 2)]


def test_a_symbol_that_is_no_longer_wanted_is_not_put_back() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A")], FOREVER)
    taken = line.take_due_ticks(1, 0.0, 1.0)
    line.set_wanted_symbols(frozenset("B"))
    line.requeue_at_head(taken)
    assert len(line) == 0


def test_an_unwanted_symbol_is_dropped_and_counted() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("Z"), tick("A")], FOREVER)
    assert (line.unwanted, line.received, symbols(line.take_due_ticks(9, 0.0, 0.0))) == (1, 1, ["A"])


def test_a_resumed_symbol_accepts_no_older_ticks() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 10), tick("B", 10)], FOREVER)
    line.set_wanted_symbols(frozenset("B"), frozenset("AB"))
    line.queue_newest_ticks([tick("A", 11)], FOREVER)
    assert (line.unwanted, symbols(line.take_due_ticks(9, 0.0, 0.0))) == (1, ["B"])
    line.set_wanted_symbols(frozenset("AB"), frozenset("AB"))
    line.queue_newest_ticks([tick("A", 9), tick("A", 10, bid=2)], FOREVER)
    assert (line.out_of_order, line.take_due_ticks(9, 1.0, 0.0)) == (1, [tick("A", 10, bid=2)])


def test_a_paused_and_then_removed_symbol_starts_without_history() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 10)], FOREVER)
    line.set_wanted_symbols(frozenset(), frozenset("A"))
    line.set_wanted_symbols(frozenset(), frozenset())
    line.set_wanted_symbols(frozenset("A"), frozenset("A"))
    line.queue_newest_ticks([tick("A", 9)], FOREVER)
    assert line.take_due_ticks(9, 0.0, 0.0) == [tick("A", 9)]


def test_a_removed_symbol_starts_without_history_when_it_is_added_again() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 10)], FOREVER)
    line.set_wanted_symbols(frozenset())
    assert len(line) == 0
    line.set_wanted_symbols(frozenset("A"))
    line.queue_newest_ticks([tick("A", 1)], FOREVER)
    assert line.take_due_ticks(1, 0.0, 1.0) == [tick("A", 1)]


def test_an_early_timer_does_not_skip_a_write() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 1)], FOREVER)
    line.take_due_ticks(1, 0.0, 1.0)
    line.queue_newest_ticks([tick("A", 2)], FOREVER)
    assert line.take_due_ticks(1, 0.9995, 1.0) == [tick("A", 2)]


def test_a_drop_leaves_no_ticks() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A"), tick("B")], FOREVER)
    assert line.drop_queue() == 2
    assert line.take_due_ticks(9, 0.0, 0.0) == []


def test_dropped_ticks_can_be_recovered_unless_a_newer_one_has_arrived() -> None:
    line = coalescer("A", "B", "C")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1), tick("C", 1)], FOREVER)
    line.drop_queue()
    line.set_wanted_symbols(frozenset("AB"), frozenset("AB"))
    line.queue_newest_ticks([tick("B", 2)], FOREVER)
    line.restore_dropped()
    assert sorted(symbols(line.take_due_ticks(9, 0.0, 0.0))) == ["A", "B"]
    line.restore_dropped()
    assert len(line) == 0


def test_a_tick_pending_at_a_pause_is_written_after_the_symbol_is_resumed() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1)], FOREVER)
    taken = line.take_due_ticks(1, 0.0, 0.0)
    line.set_wanted_symbols(frozenset(), frozenset("AB"))
    line.requeue_at_head(taken)
    assert (len(line), line.take_due_ticks(9, 1.0, 0.0)) == (0, [])
    line.set_wanted_symbols(frozenset("AB"), frozenset("AB"))
    assert sorted(symbols(line.take_due_ticks(9, 2.0, 0.0))) == ["A", "B"]


def test_the_last_quote_is_known_after_it_was_written() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 1), tick("B", 2)], FOREVER)
    line.take_due_ticks(9, 0.0, 0.0)
    assert line.last == tick("B", 2)


def test_an_appended_tick_goes_to_the_end_and_never_replaces_a_newer_one() -> None:
    line = coalescer("A", "B")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1)], FOREVER)
    taken = line.take_due_ticks(1, 0.0, 1.0)
    line.enqueue_unless_outdated([*taken, tick("B", 0), tick("GONE")])
    assert line.take_due_ticks(9, 1.0, 1.0) == [tick("B", 1), tick("A", 1)]


def test_a_tick_overtaken_during_its_write_is_not_returned() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 1)], FOREVER)
    taken = line.take_due_ticks(1, 0.0, 0.0)
    line.queue_newest_ticks([tick("A", 2)], FOREVER)
    line.drop_queue()
    line.requeue_at_head(taken)
    line.enqueue_unless_outdated(taken)
    assert len(line) == 0


def test_a_symbol_that_was_released_is_due_at_once() -> None:
    line = coalescer("A")
    line.queue_newest_ticks([tick("A", 1)], FOREVER)
    line.waive_interval(line.take_due_ticks(1, 0.0, 1.0))
    line.queue_newest_ticks([tick("A", 2)], FOREVER)
    assert line.take_due_ticks(1, 0.2, 1.0) == [tick("A", 2)]


def test_each_symbol_with_a_tick_is_reported_once_whether_written_or_not() -> None:
    line = coalescer("A", "B", "C")
    line.queue_newest_ticks([tick("A", 1), tick("B", 1), tick("GONE", 1)], FOREVER)
    assert line.take_ticked_symbols() == {"A", "B"}
    line.take_due_ticks(9, 0.0, 0.0)
    line.queue_newest_ticks([tick("B", 2), tick("A", 0)], FOREVER)
    assert line.take_ticked_symbols() == {"B"}
    assert line.take_ticked_symbols() == set()


def test_a_symbol_with_only_future_stamps_counts_as_heard() -> None:
    line = coalescer("A")
    for n in range(2):
        line.queue_newest_ticks([tick("A", 3600 + n)], START)
        assert line.take_ticked_symbols() == {"A"}
    assert line.take_ticked_symbols() == set()
