"""Each pattern of the spec has words, so that no message shows a pattern."""

from collections.abc import Iterator
from typing import Any

from sluice_contract.instants import SPEC_INSTANT_SCHEMA
from sluice_contract.pattern_words import has_words, words_for_pattern
from sluice_contract.schema import open_api_schema


def patterns_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for each in part.values():
            yield from patterns_in(each)
    elif isinstance(part, list):
        for each in part:
            yield from patterns_in(each)


def test_each_pattern_of_the_spec_has_words() -> None:
    instants = set(patterns_in(SPEC_INSTANT_SCHEMA))  # their rule has the words
    found = set(patterns_in(open_api_schema()["properties"]["spec"])) - instants
    assert found
    assert {each for each in found if not has_words(each)} == set()


def test_a_pattern_without_words_is_not_shown() -> None:
    assert "^" not in words_for_pattern("^x$")
