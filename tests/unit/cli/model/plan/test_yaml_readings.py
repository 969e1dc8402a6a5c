from typing import Any

import pytest

from sluice_cli.model.plan.yaml_readings import misread_values


def sentences(spec: dict[str, Any], source: str = "") -> list[str]:
    return [each.message for each in misread_values({"spec": spec}, source).values()]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("symbols: [SPY, ON]", 'spec.symbols[1] is true: YAML reads ON as a boolean; write "ON".'),
        ("symbols:\n- SPY\n- YES # not ON\n", 'spec.symbols[1] is true: YAML reads YES as a boolean; write "YES".'),
        ('symbols: [SPY, ON, "YES"]', 'spec.symbols[1] is true: YAML reads ON as a boolean; write "ON".'),
        (
            "symbols: [ON, Y]",
            'spec.symbols[1] is true: YAML reads ON, YES, Y and TRUE without quotation marks as a boolean; write "ON".',
        ),
        (
            "",
            'spec.symbols[1] is true: YAML reads ON, YES, Y and TRUE without quotation marks as a boolean; write "ON".',
        ),
    ],
)
def test_a_boolean_symbol_is_explained_with_its_word(source: str, said: str) -> None:
    assert sentences({"symbols": ["SPY", True]}, source) == [said]


def test_the_words_for_false_are_others() -> None:
    assert sentences({"symbols": [False]}, "symbols: [NO]") == [
        'spec.symbols[0] is false: YAML reads NO as a boolean; write "NO".'
    ]


def test_a_word_in_lower_case_is_found_beside_usual_booleans() -> None:
    assert sentences({"pause": {"reason": False}}, "enabled: false\npause: {reason: no}") == [
        'spec.pause.reason is false: YAML reads no as a boolean; write "no".'
    ]


def test_numbers_texts_of_maps_and_fields_in_lists_are_found() -> None:
    found = misread_values(
        {"spec": {"tenant": 7, "pausedSymbols": [{"symbol": True}], "pod": {"labels": {"a": False}}, "enabled": True}},
        "",
    )
    assert set(found) == {"spec.tenant", "spec.pausedSymbols[0].symbol", "spec.pod.labels.a"}
    assert found["spec.tenant"].message == 'spec.tenant is 7: YAML reads 7 as a number; write "7".'
    assert {each.level for each in found.values()} == {"problem"}


def test_a_valid_or_odd_document_has_none() -> None:
    assert sentences({"symbols": ["ON"], "limits": {"burst": 1}, "dryRun": False, "replay": {"speed": 1.5}}) == []
    assert sentences({"symbols": "ON", "pausedSymbols": 3, "pod": []}) == []
