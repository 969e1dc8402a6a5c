from __future__ import annotations

import pytest

from sluice_cli.contract import contract
from sluice_cli.model.field_reference import COLD, HOT, MIXED, field_reference, names_below


def test_a_field_has_its_bounds_and_its_default() -> None:
    field = field_reference("limits.writesPerSecond")
    assert field is not None
    assert (field.type, field.is_required, field.default, field.change) == ("integer", False, 20, HOT)
    assert field.bounds == ("at least 1", "at most 500")
    assert field.fields == ()
    assert field.description.startswith("The sustained number of quote writes per second")


def test_a_list_has_the_bounds_of_its_items() -> None:
    field = field_reference("symbols")
    assert field is not None
    assert (field.type, field.is_required) == ("list of strings", True)
    assert field.bounds[:3] == ("items at least 1", "items at most 2000", "each item: length at most 21")


def test_a_field_with_listed_values_has_them_alone() -> None:
    field = field_reference("provider")
    assert field is not None
    assert field.bounds == ("one of alpaca, ibkr, replay, synthetic",)


@pytest.mark.parametrize(
    ("path", "change"), [("pod", COLD), ("limits", HOT), ("heartbeat", MIXED), ("heartbeat.document", COLD)]
)
def test_an_object_is_hot_or_cold_by_the_fields_below(path: str, change: str) -> None:
    field = field_reference(path)
    assert field is not None
    assert field.change == change


def test_the_fields_directly_below() -> None:
    assert names_below("heartbeat") == ["heartbeat.intervalSeconds", "heartbeat.document"]
    assert names_below("pausedSymbols")[0] == "pausedSymbols[].symbol"
    assert "limits" in names_below("")
    assert "limits.writesPerSecond" not in names_below("")


def test_each_field_of_the_contract_can_be_explained() -> None:
    assert None not in [field_reference(path) for path in contract()["fields"]]
    assert field_reference("nothing") is None
