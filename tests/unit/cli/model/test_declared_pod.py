from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from sluice_cli.model.declared_pod import declared_pod
from sluice_cli.model.purge import purge_pod
from sluice_contract.identity import InjectedJob
from sluice_operator.settings import settings_from_environment

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


def deployment(**variables: Any) -> dict[str, Any]:
    """Return the Deployment of the operator with these variables."""
    env = [
        {"name": name, **(value if isinstance(value, dict) else {"value": value})} for name, value in variables.items()
    ]
    return {"spec": {"template": {"spec": {"containers": [{"name": "operator", "env": env}]}}}}


def golden(name: str) -> tuple[dict[str, Any], dict[str, Any], InjectedJob]:
    """Return a pod that the operator creates, the job from which it was created, and the document in it."""
    pod = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())
    [container] = pod["spec"]["containers"]
    document = next(each["value"] for each in container["env"] if each["name"] == "SLUICE_JOB")
    injected = msgspec.json.decode(document, type=InjectedJob)
    spec = msgspec.json.decode(document)["spec"]
    metadata = {"namespace": injected.namespace, "name": injected.name, "uid": injected.uid, "generation": 1}
    return pod, {"metadata": metadata, "spec": {**spec, "symbols": ["SPY", "AAPL"]}}, injected


def variables_of(pod: dict[str, Any], injected: InjectedJob) -> dict[str, str]:
    [container] = pod["spec"]["containers"]
    given = {each["name"]: each.get("value", "") for each in container["env"]}
    emulator = given.get("FIRESTORE_EMULATOR_HOST", "")
    return {
        "SLUICE_RUNTIME_IMAGE": container["image"],
        "SLUICE_FIRESTORE_PROJECT": injected.project_id,
        **({"FIRESTORE_EMULATOR_HOST": emulator} if emulator else {}),
    }


@pytest.mark.parametrize("name", ["pod-default", "pod-alpaca"])
def test_the_pod_of_a_purge_is_the_one_that_the_pod_of_the_job_would_give(name: str) -> None:
    pod, job, injected = golden(name)
    found = declared_pod(job, deployment(**variables_of(pod, injected)))
    assert found is not None
    ours, theirs = (purge_pod(each, 90, is_dry_run=True) for each in (found, pod))
    assert ours["metadata"] == theirs["metadata"]
    for one in (ours, theirs):
        one["spec"]["containers"][0].pop("env")
        one["spec"].pop("priorityClassName", None)
    assert ours["spec"] == theirs["spec"]


def test_the_pod_has_the_place_of_the_documents() -> None:
    _, job, injected = golden("pod-alpaca")
    found = declared_pod(job, deployment(SLUICE_RUNTIME_IMAGE="runtime:1", SLUICE_POD_HTTPS_PROXY="http://proxy:1"))
    assert found is not None
    env = {each["name"]: each.get("value") for each in found["spec"]["containers"][0]["env"]}
    decoded = msgspec.json.decode(env["SLUICE_JOB"] or "", type=InjectedJob)
    assert (decoded.spec.tenant, decoded.spec.firestore) == (injected.spec.tenant, injected.spec.firestore)
    assert decoded.project_id == injected.spec.firestore.project_id
    assert decoded.spec.symbols == ["SPY"]
    assert env["HTTPS_PROXY"] == "http://proxy:1"


def test_the_default_project_is_that_of_the_operator() -> None:
    _, job, _ = golden("pod-default")
    job["spec"].pop("firestore", None)
    found = declared_pod(job, deployment(SLUICE_RUNTIME_IMAGE="runtime:1"))
    assert found is not None
    document = next(each["value"] for each in found["spec"]["containers"][0]["env"] if each["name"] == "SLUICE_JOB")
    expected = settings_from_environment({"SLUICE_RUNTIME_IMAGE": "runtime:1"}).project_id
    assert msgspec.json.decode(document, type=InjectedJob).project_id == expected


@pytest.mark.parametrize("name", ["SLUICE_RUNTIME_IMAGE", "SLUICE_FIRESTORE_PROJECT", "FIRESTORE_EMULATOR_HOST"])
def test_a_setting_from_somewhere_else_is_not_guessed(name: str) -> None:
    _, job, _ = golden("pod-default")
    elsewhere = {"valueFrom": {"configMapKeyRef": {"name": "settings", "key": name}}}
    assert declared_pod(job, deployment(**{"SLUICE_RUNTIME_IMAGE": "runtime:1", name: elsewhere})) is None
    whole = deployment(SLUICE_RUNTIME_IMAGE="runtime:1")
    whole["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    assert declared_pod(job, whole) is None
    assert declared_pod(job, {}) is None


def test_a_platform_that_chooses_the_user_gets_no_user() -> None:
    _, job, _ = golden("pod-alpaca")
    found = declared_pod(job, deployment(SLUICE_RUNTIME_IMAGE="runtime:1", SLUICE_POD_USER_ID="platform"))
    assert found is not None
    assert set(found["spec"]["securityContext"]) == {"runAsNonRoot", "seccompProfile"}
    assert found["spec"]["volumes"][0]["secret"]["defaultMode"] == 0o444
