"""One tenant's many keys do not delay another tenant's key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.turns import GroupTurns


def turns(*keys: tuple[str, str]) -> GroupTurns[tuple[str, str]]:
    """Return turns by namespace, with these keys of namespace and name."""
    made: GroupTurns[tuple[str, str]] = GroupTurns(lambda key: key[0])
    for key in keys:
        made.add(key)
    return made


def taken(made: GroupTurns[tuple[str, str]]) -> list[str]:
    """Take all keys, each when the one before is done, and return them as `namespace/name`."""
    found = []
    for _ in range(len(made)):
        found.append(made.take())
        made.mark_done(found[-1])
    return ["/".join(each) for each in found]


def test_each_group_is_served_in_turn_and_each_group_in_order() -> None:
    made = turns(("acme", "1"), ("acme", "2"), ("acme", "3"), ("beta", "1"), ("beta", "2"), ("core", "1"))
    assert taken(made) == ["acme/1", "beta/1", "core/1", "acme/2", "beta/2", "acme/3"]


def test_a_key_waits_for_at_most_one_key_of_each_other_group() -> None:
    made = turns(*(("acme", str(number)) for number in range(1000)))
    for _ in range(5):
        made.add(("beta", "stop"))
        assert [made.take()[0], made.take()[0]] == ["acme", "beta"]


def limited(most: int, *keys: tuple[str, str]) -> GroupTurns[tuple[str, str]]:
    """Return turns by namespace of which at most `most` keys are in progress at once, with these keys."""
    made: GroupTurns[tuple[str, str]] = GroupTurns(lambda key: key[0], most)
    for key in keys:
        made.add(key)
    return made


def test_a_group_with_enough_keys_in_progress_waits_and_another_is_served() -> None:
    made = limited(2, ("acme", "1"), ("acme", "2"), ("acme", "3"), ("acme", "4"))
    assert [made.take(), made.take()] == [("acme", "1"), ("acme", "2")]
    with pytest.raises(StopIteration):
        made.take()
    assert made.add(("beta", "1"))
    assert made.take() == ("beta", "1")
    assert made.mark_done(("acme", "2"))
    assert made.take() == ("acme", "3")


@given(
    st.integers(1, 3),
    st.lists(st.one_of(st.sampled_from(["take", "done"]), st.sampled_from("abc")), max_size=60),
)
def test_add_and_mark_done_report_each_key_that_can_be_taken(most: int, steps: list[str]) -> None:
    made, takable, progress = limited(most), 0, list[tuple[str, str]]()
    for number, step in enumerate(steps):
        if step == "take":
            if takable:
                progress.append(made.take())
                takable -= 1
        elif step == "done":
            takable += bool(progress) and made.mark_done(progress.pop(0))
        else:
            takable += made.add((step, str(number)))
        assert all([group for group, _ in progress].count(each) <= most for each in "abc")
    for _ in range(takable):
        progress.append(made.take())
    with pytest.raises(StopIteration):
        made.take()


def test_without_a_key_there_is_nothing_to_take() -> None:
    with pytest.raises(StopIteration):
        turns().take()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=30))
def test_every_key_is_served_once_and_nothing_is_kept(keys: list[tuple[str, str]]) -> None:
    made = turns(*keys)
    assert sorted(taken(made)) == sorted("/".join(key) for key in keys)
    assert not made._keys
    assert not made._in_progress
