from typing import Any

import pytest

from sluice_contract.yaml_words import reading_of_boolean, reading_of_text


@pytest.mark.parametrize(
    ("text", "value", "clause"),
    [
        ("ON", True, 'YAML reads ON as a boolean; write "ON"'),
        ("Y", True, 'YAML reads Y as a boolean; write "Y"'),
        ("NO", False, 'YAML reads NO as a boolean; write "NO"'),
        ("NULL", None, 'YAML reads NULL as null; write "NULL"'),
        ("1e3", 1000, 'YAML reads 1e3 as a number; write "1e3"'),
    ],
)
def test_a_text_that_yaml_does_not_read_as_a_string_is_repeated_in_quotation_marks(
    text: str, value: Any, clause: str
) -> None:
    assert reading_of_text(text, value) == clause


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (True, 'YAML reads ON, YES, Y and TRUE without quotation marks as a boolean; write "ON"'),
        (False, 'YAML reads NO, OFF, N and FALSE without quotation marks as a boolean; write "NO"'),
    ],
)
def test_the_words_that_yaml_reads_as_a_boolean_are_named_where_the_text_is_not_known(value: bool, clause: str) -> None:
    assert reading_of_boolean(value) == clause
