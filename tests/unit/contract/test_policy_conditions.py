import re

from sluice_contract import conditions, policy_conditions
from sluice_contract.policy_conditions import REASONS, TYPES


def test_each_reason_belongs_to_types_and_each_type_has_a_reason() -> None:
    assert {kind for each in REASONS.values() for kind in each.types} == TYPES.keys()


def test_every_meaning_and_remedy_is_one_or_more_sentences() -> None:
    texts = [*(each.meaning for each in TYPES.values()), *(each.meaning for each in REASONS.values())]
    assert all(re.fullmatch(r"[A-Z].*\.", text) for text in (*texts, *(each.remedy for each in REASONS.values())))


def test_words_that_a_job_has_too_are_the_same() -> None:
    for name in ("READY", "RECONCILING", "STALLED"):
        assert getattr(policy_conditions, name) == getattr(conditions, name)
