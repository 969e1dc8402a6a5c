from typing import Any

from sluice_cli.model.plan.git_findings import declared_stop_findings, overwrite_findings
from sluice_cli.model.plan.spec_changes import changes_of_job


def owned(spec: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    entry = {"manager": "sluice", "time": "2026-11-27T10:00:00Z", "fieldsV1": {"f:spec": fields}}
    return {"metadata": {"managedFields": [entry]}, "spec": spec}


def test_each_declared_stop_is_a_warning() -> None:
    found = declared_stop_findings({"spec": {"enabled": True, "pause": None, "pausedSymbols": [], "symbols": []}})
    assert [each.message.split(":")[0] for each in found] == [
        "The file declares spec.enabled", "The file declares spec.pause", "The file declares spec.pausedSymbols",
    ]  # fmt: skip
    assert "kubectl sluice pause holds" in found[0].remedy
    assert declared_stop_findings({"spec": {"symbols": ["SPY"]}}) == []


def test_a_value_of_another_manager_that_changes_is_a_warning() -> None:
    live = owned({"enabled": False, "limits": {"burst": 9}}, {"f:enabled": {}, "f:limits": {"f:burst": {}}})
    changes = changes_of_job(live, {"spec": {"enabled": True, "limits": {}}})
    assert [each.message for each in overwrite_findings(live, changes)] == [
        "sluice set spec.enabled to false at 2026-11-27T10:00:00Z: this apply sets true.",
        "sluice set spec.limits.burst to 9 at 2026-11-27T10:00:00Z: this apply removes it.",
    ]
    assert overwrite_findings(live, changes, "sluice") == []


def test_removed_names_count_and_added_ones_do_not() -> None:
    live = owned({"symbols": ["SPY", "QQQ"]}, {"f:symbols": {'v:"QQQ"': {}}})
    [found] = overwrite_findings(live, changes_of_job(live, {"spec": {"symbols": ["SPY", "IBM"]}}))
    assert found.message == "sluice set QQQ in spec.symbols at 2026-11-27T10:00:00Z: this apply removes it."
    assert overwrite_findings(live, changes_of_job(live, {"spec": {"symbols": ["SPY", "QQQ", "IBM"]}})) == []
    assert overwrite_findings(live, changes_of_job(live, {"spec": {"symbols": ["QQQ"]}})) == []
    assert overwrite_findings(None, ()) == []
