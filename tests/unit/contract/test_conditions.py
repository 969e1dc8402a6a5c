import re

from sluice_contract import conditions
from sluice_contract.condition_types import NOTHING_TO_DO
from sluice_contract.conditions import REASONS, TYPES

CONSTANTS = {name: value for name, value in vars(conditions).items() if re.fullmatch("[A-Z][A-Z_]+", name)}


def test_every_type_and_reason_is_one_camel_case_word() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in (*TYPES, *REASONS))


def test_every_constant_is_declared_once_with_its_meaning() -> None:
    words = [value for name, value in CONSTANTS.items() if isinstance(value, str)]
    assert sorted(words) == sorted([*TYPES, *REASONS])


def test_every_meaning_and_remedy_is_one_or_more_sentences() -> None:
    meanings = [*(each.meaning for each in TYPES.values()), *(each.meaning for each in REASONS.values())]
    for text in (*meanings, *(each.remedy for each in REASONS.values())):
        assert re.fullmatch(r"[A-Z].*\.", text)
        assert "|" not in text, "it is in a table"


def test_a_reason_of_stalled_says_what_to_do() -> None:
    stalled = [each for each in REASONS.values() if conditions.STALLED in each.types]
    assert [each.name for each in stalled if each.remedy == NOTHING_TO_DO] == []


def test_the_types_of_a_reason_are_types() -> None:
    assert {kind for each in REASONS.values() for kind in each.types} == TYPES.keys()


def test_every_type_is_in_the_order_and_ready_is_first() -> None:
    assert conditions.ORDER[0] == conditions.READY
    assert len(set(conditions.ORDER)) == len(conditions.ORDER) == 11
