"""The files of manifests/gitops: health checks and actions of Argo CD in a Lua interpreter, and settings of the tools.

tests/integration/test_argocd_actions.py runs the checks and the actions on real objects.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_contract import conditions, pause_conditions, policy_conditions
from sluice_contract.kinds import KINDS
from support.argocd_lua import DATA, action_patch, enabled_actions, health
from support.gitops_tools import MERGE, STOP_FIELDS

GITOPS = Path(__file__).resolve().parents[3] / "manifests/gitops"
PAUSES = ("IngestPause", "ClusterIngestPause")
Conditions = dict[str, tuple[str, str]]


def document(kind: str, found: Conditions, observed: int = 2, **spec: Any) -> dict[str, Any]:
    """Return an object of generation 2 with conditions, each as its status and its reason."""
    entries = [
        {"type": name, "status": status, "reason": reason, "message": f"{name} is {status}: {reason}."}
        for name, (status, reason) in found.items()
    ]
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "x", "generation": 2},
        "spec": spec,
        "status": {"observedGeneration": observed, "conditions": entries},
    }


def not_ready(reason: str) -> Conditions:
    """Return the conditions of a job that is not ready for a reason, as the operator writes them."""
    types = conditions.REASONS[reason].types
    kind = conditions.STALLED if conditions.STALLED in types else conditions.RECONCILING
    return {conditions.READY: ("False", reason), kind: ("True", reason)}


LIVE = {"Ready": ("True", "Streaming"), "Streaming": ("True", "Streaming")}
PAUSED = {"Ready": ("True", "Paused"), "Paused": ("True", "Paused"), "Streaming": ("False", "Paused")}
PAUSING = {"Ready": ("False", "Pausing"), "Reconciling": ("True", "Pausing")}
JOBS: list[tuple[Conditions, str]] = [
    (LIVE, "Healthy"),
    ({"Ready": ("True", "SymbolsRejected")}, "Healthy"),
    ({"Ready": ("True", "ReplayFinished")}, "Healthy"),
    (PAUSED, "Suspended"),
    (PAUSED | {"Paused": ("True", "NothingConnected")}, "Suspended"),
    (PAUSED | {"Stalled": ("True", "Refused")}, "Degraded"),
    (PAUSING, "Progressing"),
    (PAUSING | {"Paused": ("False", "Pausing")}, "Progressing"),
    (PAUSING | {"Paused": ("False", "NotAcknowledged")}, "Degraded"),
    ({}, "Progressing"),
]
IN_FORCE = {"InForce": ("True", "InForce")}
PAUSE_TABLE: list[tuple[Conditions, str]] = [
    (IN_FORCE | {"Acknowledged": ("True", "Acknowledged")}, "Suspended"),
    (IN_FORCE | {"Acknowledged": ("False", "Waiting"), "Reconciling": ("True", "Waiting")}, "Progressing"),
    (IN_FORCE | {"Acknowledged": ("False", "NotAcknowledged")}, "Degraded"),
    ({"InForce": ("True", "NothingSelected"), "Acknowledged": ("True", "NothingSelected")}, "Healthy"),
    ({"InForce": ("False", "Expired"), "Acknowledged": ("True", "Acknowledged")}, "Healthy"),
    (IN_FORCE, "Progressing"),
    ({}, "Progressing"),
]
POLICY_TABLE: list[tuple[Conditions, str]] = [
    ({"Ready": ("True", policy_conditions.APPLIED)}, "Healthy"),
    ({"Ready": ("True", policy_conditions.NO_NAMESPACES)}, "Healthy"),
    ({"Ready": ("False", "Applying"), "Reconciling": ("True", "Applying")}, "Progressing"),
    ({"Ready": ("False", "NotUnderstood"), "Stalled": ("True", "NotUnderstood")}, "Degraded"),
    ({}, "Progressing"),
]
TABLE = [
    *(("IngestJob", found, expected) for found, expected in JOBS),
    *((kind, found, expected) for kind in PAUSES for found, expected in PAUSE_TABLE),
    *(("IngestPolicy", found, expected) for found, expected in POLICY_TABLE),
]


@pytest.mark.parametrize(("kind", "found", "expected"), TABLE)
def test_the_health_of_an_object_follows_from_its_conditions(kind: str, found: Conditions, expected: str) -> None:
    status, message = health(document(kind, found))
    assert status == expected
    assert message


@pytest.mark.parametrize(("kind", "found"), [(kind, found) for kind, found, _ in TABLE])
def test_an_object_whose_newest_generation_is_not_processed_is_in_progress(kind: str, found: Conditions) -> None:
    assert health(document(kind, found, observed=1))[0] == "Progressing"


@pytest.mark.parametrize("kind", [each.name for each in KINDS])
def test_an_object_without_a_status_is_in_progress(kind: str) -> None:
    found = document(kind, {})
    incomplete: list[dict[str, Any]] = [{}, {"observedGeneration": 2}, {"conditions": []}]
    for status in incomplete:
        assert health(found | {"status": status})[0] == "Progressing"
    del found["status"]
    assert health(found)[0] == "Progressing"


def test_a_job_that_is_being_deleted_is_in_progress() -> None:
    found = document("IngestJob", LIVE)
    found["metadata"]["deletionTimestamp"] = "2026-11-28T14:00:00Z"
    assert health(found) == ("Progressing", "The job is being deleted.")


def test_a_job_that_needs_a_person_is_degraded_and_one_on_its_way_is_in_progress() -> None:
    types = {name: reason.types for name, reason in conditions.REASONS.items() if conditions.READY in reason.types}
    stalled = {name for name, each in types.items() if conditions.STALLED in each}
    reconciling = {name for name, each in types.items() if conditions.RECONCILING in each} - stalled
    assert {health(document("IngestJob", not_ready(name)))[0] for name in stalled} == {"Degraded"}
    assert {health(document("IngestJob", not_ready(name)))[0] for name in reconciling} == {"Progressing"}


def test_the_message_is_that_of_the_condition_that_decides() -> None:
    assert health(document("IngestJob", PAUSED))[1] == "Paused is True: Paused."
    assert health(document("IngestJob", not_ready("Refused")))[1] == "Stalled is True: Refused."
    expired = {"InForce": ("False", pause_conditions.EXPIRED)}
    assert health(document("IngestPause", expired))[1] == "InForce is False: Expired."


def test_each_kind_has_a_health_check_and_each_kind_that_can_stop_a_feed_has_actions() -> None:
    checks, actions = ("resource.customizations.health.sluice.dev_", "resource.customizations.actions.sluice.dev_")
    stopping = ["IngestJob", *PAUSES]
    assert set(DATA) == {checks + each.name for each in KINDS} | {actions + name for name in stopping}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {"pause"}),
        ({"enabled": True}, {"pause"}),
        ({"enabled": False}, {"resume"}),
        ({"pause": {}}, {"resume"}),
        ({"pause": {"reason": "x"}}, {"resume"}),
        ({"pause": {"until": "2026-11-28T14:00:00Z"}}, {"pause", "resume"}),
    ],
)
def test_the_actions_of_a_job_are_those_that_change_something(spec: dict[str, Any], expected: set[str]) -> None:
    assert enabled_actions(document("IngestJob", LIVE, **spec)) == expected


def test_the_actions_of_a_job_change_only_its_switches() -> None:
    reason = {"reason": "paused in Argo CD"}
    other: dict[str, Any] = {"synthetic": {}, "pausedSymbols": [], "symbols": ["SPY"], "limits": {"burst": 5}}
    assert action_patch(document("IngestJob", LIVE, **other), "pause") == {"spec": {"pause": reason}}
    ending = document("IngestJob", PAUSED, pause={"until": "2026-11-28T14:00:00Z"}, **other)
    assert action_patch(ending, "pause") == {"spec": {"pause": reason | {"until": None}}}
    stopped = document("IngestJob", PAUSED, enabled=False, pause=reason, **other)
    assert action_patch(stopped, "resume") == {"spec": {"enabled": True, "pause": None}}
    assert action_patch(document("IngestJob", PAUSED, pause=reason, **other), "resume") == {"spec": {"pause": None}}


@pytest.mark.parametrize("kind", PAUSES)
def test_the_actions_of_a_pause_end_it_now_and_put_it_in_force_again(kind: str) -> None:
    in_force = document(kind, IN_FORCE, reason="x", by="alice")
    ended = document(kind, {"InForce": ("False", "Expired")}, reason="x", until="2020-01-01T00:00:00Z")
    assert (enabled_actions(in_force), enabled_actions(ended)) == ({"resume"}, {"pause"})
    patch = action_patch(in_force, "resume")["spec"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", patch.pop("until"))
    assert patch == {"by": None}
    assert action_patch(ended, "pause") == {"spec": {"until": None}}
    ending = document(kind, IN_FORCE, until="2100-01-01T00:00:00Z")
    assert enabled_actions(ending) == {"pause", "resume"}
    del in_force["status"]
    assert enabled_actions(in_force) == {"resume"}
    ended["status"]["observedGeneration"] = 1
    assert enabled_actions(ended) == {"pause", "resume"}


def test_argo_cd_and_flux_ignore_the_fields_that_stop_a_feed() -> None:
    application = yaml.safe_load((GITOPS / "argocd/application.yaml").read_text())["spec"]
    kustomization = yaml.safe_load((GITOPS / "flux/feeds.yaml").read_text())["spec"]
    paths = [f"/spec/{name}" for name in STOP_FIELDS]
    selected = {"group": "sluice.dev", "kind": "IngestJob"}
    assert application["ignoreDifferences"] == [{**selected, "jsonPointers": paths}]
    assert application["syncPolicy"]["syncOptions"] == ["RespectIgnoreDifferences=true"]
    assert kustomization["ignore"] == [{"paths": paths, "target": selected}]
    [patch] = kustomization["patches"]
    assert (patch["target"], yaml.safe_load(patch["patch"])["metadata"]["annotations"]) == (selected, MERGE)


def test_terraform_waits_for_a_condition_of_a_job() -> None:
    text = (GITOPS / "terraform/main.tf").read_text()
    [(kind, status)] = re.findall(r'condition \{\s*type\s*=\s*"(\w+)"\s*status\s*=\s*"(\w+)"\s*\}', text)
    assert kind in conditions.TYPES
    assert status == "True"
    assert text.count("{") == text.count("}")
