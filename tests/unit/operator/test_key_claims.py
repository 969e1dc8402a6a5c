"""The index of the keys with which jobs hold connections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.domain.key_claims import KeyClaims
from sluice_operator.domain.objects import Key

KEY = "3f2a"
FEED, OTHER, FOREIGN, THIRD = ("acme", "feed"), ("acme", "other"), ("rival", "feed"), ("third", "feed")


def claims(*keys: Key) -> KeyClaims:
    """Return the index in which these jobs use KEY."""
    made = KeyClaims()
    for key in keys:
        made.replace_claim(key, KEY)
    return made


def test_jobs_of_one_namespace_do_not_share_their_key_with_another() -> None:
    made = claims(FEED, OTHER)
    assert (made.is_shared(FEED), made.is_shared(OTHER), made.shared_keys()) == (False, False, {})


def test_the_first_job_of_a_second_namespace_affects_one_job_of_the_first() -> None:
    made = claims(FEED, OTHER)
    change = made.replace_claim(FOREIGN, KEY)
    assert (change.affected, change.sharing) == (frozenset({FEED}), (FEED, FOREIGN))
    assert all(made.is_shared(key) for key in (FEED, OTHER, FOREIGN))
    assert made.shared_keys() == {KEY: ("acme", "rival")}


def test_further_jobs_and_namespaces_affect_no_other_job() -> None:
    made = claims(FEED, FOREIGN)
    assert made.replace_claim(OTHER, KEY).affected == frozenset()
    change = made.replace_claim(THIRD, KEY)
    assert (change.affected, change.sharing) == (frozenset(), (FEED, FOREIGN, THIRD))


def test_the_last_other_namespace_to_leave_affects_the_remaining_one() -> None:
    made = claims(FEED, FOREIGN, THIRD)
    assert made.replace_claim(THIRD, None).affected == frozenset()
    assert made.is_shared(FEED)
    assert made.replace_claim(FOREIGN, "a new key").affected == {FEED}
    assert (made.is_shared(FEED), made.is_shared(FOREIGN), made.shared_keys()) == (False, False, {})


def test_the_same_claim_again_changes_nothing() -> None:
    made = claims(FEED, FOREIGN)
    change = made.replace_claim(FEED, KEY)
    assert (change.affected, change.sharing) == (frozenset(), ())
    assert made.replace_claim(("acme", "unknown"), None).affected == frozenset()


def test_a_change_names_at_most_ten_jobs() -> None:
    made = claims(*((f"n{number:02}", "feed") for number in range(30)))
    assert len(made.replace_claim(FEED, KEY).sharing) == 10


KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))


@given(st.lists(st.tuples(KEYS, st.sampled_from([None, "k1", "k2"])), max_size=30))
def test_after_any_changes_a_key_is_shared_if_two_namespaces_use_it(changes: list[tuple[Key, str | None]]) -> None:
    made, used = KeyClaims(), dict[Key, str]()
    for key, digest in changes:
        before = {each: made.is_shared(each) for each in used}
        change = made.replace_claim(key, digest)
        used.pop(key, None)
        if digest is not None:
            used[key] = digest
        for each, of_each in used.items():
            assert made.is_shared(each) == (len({other[0] for other in used if used[other] == of_each}) > 1)
        changed = {each for each in used if each != key and before.get(each) != made.is_shared(each)}
        assert {each[0] for each in changed} == {each[0] for each in change.affected if each != key}
