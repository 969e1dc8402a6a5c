"""Values as an env file passes them. Also looked for: single and typographic quotation marks, one mark only, CRLF."""

import pytest

from sluice_contract.env_file_values import clean_value, env_file_mistake, env_file_mistakes


@pytest.mark.parametrize(
    "value", ['"PKTEST"', "'PKTEST'", "\u201cPKTEST\u201d", '"PKTEST', 'PKTEST"', '"PKTEST" \r', '""']
)
def test_quotation_marks_around_a_value_are_reported_without_the_value(value: str) -> None:
    assert env_file_mistake("ALPACA_KEY_ID", value) == (
        "ALPACA_KEY_ID has quotation marks around its value (an env file passes it on as part of the value); "
        "write ALPACA_KEY_ID=value without them"
    )


def test_a_comment_after_a_value_is_reported_without_the_value() -> None:
    assert env_file_mistake("TENANT_ID", "acme  # the desk") == (
        "TENANT_ID has a comment after its value (an env file passes it on as part of the value); write the comment on "
        "a line of its own"
    )
    both = env_file_mistake("TENANT_ID", '"acme" # the desk')
    assert both is not None
    assert both.endswith("write TENANT_ID=value without them, and a comment on a line of its own")


@pytest.mark.parametrize("value", ["", "acme", "acme \r\n", "a b", "wss://host/p#part", "it's", 'say "x" twice'])
def test_other_values_are_accepted(value: str) -> None:
    assert env_file_mistake("TENANT_ID", value) is None


@pytest.mark.parametrize("value", ["acme ", "acme\r", "\ufeffacme", "\tacme\n"])
def test_spaces_and_line_ends_around_a_value_are_removed(value: str) -> None:
    assert clean_value(value) == "acme"


def test_all_mistakes_are_found_in_the_order_of_the_names() -> None:
    environment = {"B": "'x'", "A": "y # z", "C": "x", "OTHER": "'x'"}
    assert [each.split()[0] for each in env_file_mistakes(environment, ("A", "B", "C", "D"))] == ["A", "B"]
