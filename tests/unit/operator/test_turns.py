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
    """Take all keys and return them as `namespace/name`."""
    return ["/".join(made.take()) for _ in range(len(made))]


def test_each_group_is_served_in_turn_and_each_group_in_order() -> None:
    made = turns(("acme", "1"), ("acme", "2"), ("acme", "3"), ("beta", "1"), ("beta", "2"), ("core", "1"))
    assert taken(made) == ["acme/1", "beta/1", "core/1", "acme/2", "beta/2", "acme/3"]


def test_a_key_waits_for_at_most_one_key_of_each_other_group() -> None:
    made = turns(*(("acme", str(number)) for number in range(1000)))
    for _ in range(5):
        made.add(("beta", "stop"))
        assert [made.take()[0], made.take()[0]] == ["acme", "beta"]


def test_without_a_key_there_is_nothing_to_take() -> None:
    with pytest.raises(StopIteration):
        turns().take()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=30))
def test_every_key_is_served_once_and_nothing_is_kept(keys: list[tuple[str, str]]) -> None:
    made = turns(*keys)
    assert sorted(taken(made)) == sorted("/".join(key) for key in keys)
    assert not made._keys
