"""The guarantees of the work queue."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.workqueue import WorkQueue
from support import virtual_time


def queue() -> WorkQueue[str]:
    """Return a queue without jitter, on the loop's clock."""
    return WorkQueue(virtual_time.seconds, jitter=lambda: 0.0)


async def drained(q: WorkQueue[str]) -> list[str]:
    """Return all keys that can be taken now, in order."""
    taken = []
    while q.depth:
        key = await q.get()
        assert key is not None
        taken.append(key)
        q.mark_done(key)
    return taken


async def test_a_key_added_twice_is_taken_once_and_order_is_kept() -> None:
    q = queue()
    for key in ("b", "a", "b", "c", "a"):
        q.add(key)
    assert await drained(q) == ["b", "a", "c"]


async def test_another_group_waits_for_one_key_of_a_group_that_changes_all_the_time() -> None:
    q: WorkQueue[str] = WorkQueue(virtual_time.seconds, group_of=lambda key: key[0])
    for number in range(100):
        q.add(f"a{number}")
    q.add("b")
    assert [await q.get(), await q.get(), await q.get()] == ["a0", "b", "a1"]


async def test_a_group_occupies_a_bounded_number_of_workers() -> None:
    q: WorkQueue[str] = WorkQueue(virtual_time.seconds, group_of=lambda key: key[0], most_of_group=2)
    for number in range(4):
        q.add(f"a{number}")
    assert [await q.get(), await q.get()] == ["a0", "a1"]
    waiting = asyncio.create_task(q.get())
    await virtual_time.settle()
    assert not waiting.done()
    q.add("b")
    assert await waiting == "b"
    q.mark_done("a1")
    assert await q.get() == "a2"
    q.add("a0")
    q.mark_done("a0")
    assert [await q.get()] == ["a3"]
    q.mark_done("a2")
    assert await q.get() == "a0"


async def test_a_key_added_while_it_is_processed_returns_after_it_is_done() -> None:
    q = queue()
    q.add("a")
    assert await q.get() == "a"
    q.add("a")
    second = asyncio.create_task(q.get())
    await virtual_time.settle()
    assert not second.done()
    q.mark_done("a")
    assert await second == "a"


async def test_a_key_that_is_done_does_not_return_by_itself() -> None:
    q = queue()
    q.add("a")
    await q.get()
    q.mark_done("a")
    assert q.depth == 0


async def test_only_the_earliest_of_several_deadlines_requeues_a_key() -> None:
    q = queue()
    q.add_after("a", 30)
    q.add_after("a", 10)
    q.add_after("a", 20)
    asyncio.get_running_loop().call_later(100, q.shut_down, 1)
    keeper = asyncio.create_task(q.add_due_keys_until_shutdown())
    assert await q.get() == "a"
    assert virtual_time.seconds() == 10
    q.mark_done("a")
    assert await q.get() is None
    assert virtual_time.seconds() == 100
    await keeper


async def test_failures_are_retried_after_growing_delays_up_to_a_minute() -> None:
    q = queue()
    keeper = asyncio.create_task(q.add_due_keys_until_shutdown())
    waits = []
    for _ in range(8):
        before = virtual_time.seconds()
        q.add_after_backoff("a")
        await q.get()
        q.mark_done("a")
        waits.append(round(virtual_time.seconds() - before))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    q.shut_down(0)
    await keeper


async def test_jitter_shortens_a_delay_by_up_to_half() -> None:
    q: WorkQueue[str] = WorkQueue(virtual_time.seconds, jitter=lambda: 1.0)
    q.add_after_backoff("a")
    assert q.add_due_keys() == 0.5


async def test_a_success_resets_the_delay() -> None:
    q = queue()
    q.add_after_backoff("a")
    q.add_after_backoff("a")
    q.reset_backoff("a")
    q.add_after_backoff("b")
    assert (q.retries, q.add_due_keys()) == (3, 1.0)


async def test_a_shut_down_queue_returns_no_keys() -> None:
    q = queue()
    q.add("a")
    q.shut_down(2)
    assert [await q.get(), await q.get()] == [None, None]


async def test_the_age_is_that_of_the_key_that_waits_longest() -> None:
    q = queue()
    q.add("a")
    await asyncio.sleep(3)
    q.add("b")
    assert (q.depth, q.oldest_wait_seconds) == (2, 3.0)


@given(st.lists(st.tuples(st.sampled_from(["add", "get", "done"]), st.sampled_from("abc")), max_size=40))
def test_no_key_is_lost_or_processed_twice_at_once(moves: list[tuple[str, str]]) -> None:
    asyncio.run(_play(moves))


async def _play(moves: list[tuple[str, str]]) -> None:
    q: WorkQueue[str] = WorkQueue(lambda: 0.0)
    wanted: set[str] = set()
    in_hand: list[str] = []
    for move, key in moves:
        if move == "add":
            q.add(key)
            wanted.add(key)
        elif move == "done" and key in in_hand:
            in_hand.remove(key)
            q.mark_done(key)
        elif move == "get" and wanted - set(in_hand):
            taken = await q.get()
            assert taken is not None
            assert taken not in in_hand
            wanted.discard(taken)
            in_hand.append(taken)
    for key in in_hand:
        q.mark_done(key)
    assert set(await drained(q)) == wanted


async def test_what_the_process_does_itself_does_not_end_a_backoff() -> None:
    q = queue()
    q.add_after_backoff("a")
    await asyncio.sleep(0.5)
    q.add("a")
    assert (q.depth, q.add_due_keys()) == (0, 0.5)


async def test_a_change_by_another_client_ends_a_backoff_and_leaves_no_second_pass() -> None:
    q = queue()
    q.add_after_backoff("a")
    q.add_changed("a")
    assert await drained(q) == ["a"]
    assert q.add_due_keys() is None


async def test_an_own_addition_during_a_pass_that_fails_waits_for_the_backoff() -> None:
    q = queue()
    q.add("a")
    await q.get()
    q.add("a")
    q.add_after_backoff("a")
    q.mark_done("a")
    assert (q.depth, q.add_due_keys()) == (0, 1.0)


async def test_a_change_during_a_pass_that_fails_is_processed_at_once() -> None:
    q = queue()
    q.add("a")
    await q.get()
    q.add_changed("a")
    q.add_after_backoff("a")
    q.mark_done("a")
    assert await drained(q) == ["a"]


async def test_the_fifth_repeat_in_a_row_waits_and_a_settled_pass_resets_the_count() -> None:
    q = queue()
    assert [q.add_again("a") for _ in range(5)] == [True] * 4 + [False]
    assert await drained(q) == ["a"]
    assert q.add_due_keys() == 1.0
    q.reset_backoff("a")
    assert q.add_again("a")


async def test_changes_that_come_soon_after_each_other_are_one_pass_and_no_backoff_delays_it() -> None:
    q = queue()
    q.add_after_backoff("a", at_least=30.0)
    q.add_soon("a")
    await asyncio.sleep(0.4)
    q.add_soon("a")
    await asyncio.sleep(0.1)
    q.add_due_keys()
    assert await drained(q) == ["a"]


async def test_a_backoff_lasts_at_least_as_long_as_the_caller_asks() -> None:
    q = queue()
    q.add_after_backoff("a", at_least=7.0)
    assert q.add_due_keys() == 7.0
