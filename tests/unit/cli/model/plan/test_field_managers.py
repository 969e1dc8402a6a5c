from typing import Any

from sluice_cli.model.plan.field_managers import other_owner


def entry(manager: str, fields: dict[str, Any], at: str = "2026-11-27T10:00:00Z", **more: str) -> dict[str, Any]:
    return {"manager": manager, "time": at, "fieldsV1": fields, **more}


BURST: dict[str, Any] = {"f:spec": {"f:limits": {"f:burst": {}}}}
SYMBOLS = {"f:spec": {"f:symbols": {'v:"SPY"': {}}, "f:pausedSymbols": {'k:{"symbol":"AAPL"}': {"f:symbol": {}}}}}


def job(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}}


def test_the_newest_other_manager_of_a_field_is_named() -> None:
    found = other_owner(
        job(entry("kubectl", BURST), entry("a", BURST), entry("sluice", BURST, "2026-11-27T11:00:00Z")),
        "spec.limits.burst",
    )
    assert found is not None
    assert (found.manager, found.at and found.at.hour) == ("sluice", 11)


def test_appliers_the_own_manager_and_the_status_do_not_count() -> None:
    entries = (
        entry("kubectl", BURST),
        entry("kubectl-client-side-apply", BURST),
        entry("argocd", BURST),
        entry("sluice-operator", BURST, subresource="status"),
    )
    assert other_owner(job(*entries), "spec.limits.burst", manager="argocd") is None
    assert other_owner(job(entry("a", BURST)), "spec.limits.writesPerSecond") is None
    assert other_owner({}, "spec.enabled") is None


def test_names_in_lists_and_labels_have_managers_too() -> None:
    held = job(entry("desk", SYMBOLS), entry("ops", {"f:metadata": {"f:labels": {"f:a.b/c": {}}}}))
    assert other_owner(held, "spec.symbols", ("SPY",)) is not None
    assert other_owner(held, "spec.symbols", ("QQQ",)) is None
    assert other_owner(held, "spec.pausedSymbols", ("AAPL",)) is not None
    assert other_owner(held, "metadata.labels.a.b/c") is not None
