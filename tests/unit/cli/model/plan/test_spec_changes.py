from typing import Any

import pytest

from sluice_cli.model.plan.spec_changes import COLD, HOT, NO_POD, UNKNOWN, changes_of_job, effect_of, value_text


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.path, each.effect) for each in changes_of_job({"spec": before}, {"spec": after})]


def test_each_changed_field_is_hot_or_cold_in_the_order_of_the_schema() -> None:
    before = {"limits": {"burst": 40}, "alpaca": {"feed": "iex"}, "symbols": ["SPY"], "enabled": True}
    after = {"limits": {"burst": 50}, "alpaca": {"feed": "sip"}, "symbols": ["SPY", "TSLA"], "enabled": True}
    assert changed(before, after) == [
        ("spec.symbols", HOT), ("spec.alpaca.feed", COLD), ("spec.limits.burst", HOT),
    ]  # fmt: skip
    assert changed(before, before) == []


def test_lists_of_names_have_what_was_added_and_removed() -> None:
    [change] = changes_of_job({"spec": {"symbols": ["A", "B"]}}, {"spec": {"symbols": ["B", True]}})
    assert (change.added, change.removed) == (("true",), ("A",))
    paused = [{"symbol": "A"}], [{"symbol": "A", "reason": "x"}, {"symbol": "B"}]
    [change] = changes_of_job(*({"spec": {"pausedSymbols": each}} for each in paused))
    assert (change.added, change.removed, change.effect) == (("B",), (), HOT)


def test_another_order_of_symbols_is_no_change() -> None:
    assert changed({"symbols": ["A", "B"]}, {"symbols": ["B", "A"]}) == []
    assert changed({"symbols": ["A", "A"]}, {"symbols": ["A"]}) == [("spec.symbols", HOT)]


def test_an_object_that_appears_or_disappears_counts_by_its_fields() -> None:
    assert changed({}, {"alpaca": {"feed": "iex", "credentialsSecretRef": {"name": "x"}}}) == [
        ("spec.alpaca.feed", COLD), ("spec.alpaca.credentialsSecretRef.name", COLD),
    ]  # fmt: skip
    assert changed({"pause": {"reason": "x"}}, {}) == [("spec.pause.reason", HOT)]
    assert changed({}, {"http": {}}) == [("spec.http", COLD)]


def test_labels_do_not_concern_the_pod() -> None:
    before, after = {"metadata": {"labels": {"a.b/c": "1"}}}, {"metadata": {"labels": {"d": "2"}}}
    found = changes_of_job(before, after)
    assert [(each.path, each.before, each.after, each.effect) for each in found] == [
        ("metadata.labels.a.b/c", "1", None, NO_POD), ("metadata.labels.d", None, "2", NO_POD),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "effect"),
    [("limits.burst", HOT), ("pod.nodeSelector.disk", COLD), ("limits.new", UNKNOWN), ("new", UNKNOWN), ("pause", HOT)],
)
def test_the_effect_of_a_field_is_that_of_the_contract(path: str, effect: str) -> None:
    assert effect_of(path) == effect


def test_values_are_one_line_without_control_characters() -> None:
    assert value_text("a\x1b[31m\nb") == "a?[31m b"
    assert changed({}, {"a\x1b[2J": 1}) == [("spec.a?[2J", UNKNOWN)]
    assert (value_text(True), value_text({"a": [1]}), value_text(None)) == ("true", '{"a": [1]}', "null")
