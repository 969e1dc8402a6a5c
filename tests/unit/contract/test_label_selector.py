from typing import Any

import msgspec
import pytest

from sluice_contract.label_selector import LabelSelector, selector_rules

LABELS = {"team": "rates", "tier": "gold", "example.com/desk": ""}


def selects(**fields: Any) -> bool:
    return msgspec.convert(fields, LabelSelector).matches(LABELS)


def requirement(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


def test_the_empty_selector_selects_everything() -> None:
    assert LabelSelector().matches({})
    assert LabelSelector().matches(LABELS)


def test_each_label_has_to_be_present_with_its_value() -> None:
    assert selects(matchLabels={"team": "rates", "tier": "gold"})
    assert selects(matchLabels={"example.com/desk": ""})
    assert not selects(matchLabels={"team": "rates", "tier": "silver"})
    assert not selects(matchLabels={"absent": ""})


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        (requirement("team", "In", "rates", "fx"), True),
        (requirement("team", "In", "fx"), False),
        (requirement("absent", "In", "fx"), False),
        (requirement("team", "NotIn", "fx"), True),
        (requirement("team", "NotIn", "rates"), False),
        (requirement("absent", "NotIn", "fx"), True),
        (requirement("team", "Exists"), True),
        (requirement("absent", "Exists"), False),
        (requirement("team", "DoesNotExist"), False),
        (requirement("absent", "DoesNotExist"), True),
    ],
)
def test_the_operators_are_those_of_kubernetes(expression: dict[str, Any], selected: bool) -> None:
    assert selects(matchExpressions=[expression]) is selected


def test_labels_and_expressions_have_to_match_together() -> None:
    assert selects(matchLabels={"team": "rates"}, matchExpressions=[requirement("tier", "Exists")])
    assert not selects(matchLabels={"team": "rates"}, matchExpressions=[requirement("tier", "DoesNotExist")])


def test_the_rules_are_at_the_parts_of_the_selector() -> None:
    labels, expressions = selector_rules("spec", "jobSelector")
    assert labels.path == ("spec", "jobSelector", "matchLabels")
    assert expressions.path == ("spec", "jobSelector", "matchExpressions", "[]")
