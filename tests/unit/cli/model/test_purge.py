import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_cli.model.job import status_of_job
from sluice_cli.model.purge import PurgeResult, pending_reason, purge_pod, refusal_of_purge, result_of_purge
from sluice_cli.model.switches import PauseView
from support.fake_kubectl import NOW, job, paused_job

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


def pod_of_job(name: str = "pod-default") -> dict[str, Any]:
    """Return a pod that the operator creates."""
    found: dict[str, Any] = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())
    return found


def ended(message: str | None, phase: str = "Succeeded") -> dict[str, Any]:
    state = {"terminated": {"exitCode": 0, **({"message": message} if message is not None else {})}}
    return {"status": {"phase": phase, "containerStatuses": [{"name": "purge", "state": state}]}}


def test_the_pod_runs_the_purge_with_the_image_and_the_security_of_the_job_s_pod() -> None:
    original = pod_of_job()
    found = purge_pod(original, 90, is_dry_run=False)
    [container] = found["spec"]["containers"]
    [own] = original["spec"]["containers"]
    for field in ("image", "env", "securityContext", "command", "resources"):
        assert container[field] == own[field]
    assert container["args"] == ["purge", "--result-file", "/dev/termination-log"]
    assert found["spec"]["securityContext"] == original["spec"]["securityContext"]
    assert found["spec"]["serviceAccountName"] == "sluice-ingest"
    assert (found["spec"]["restartPolicy"], found["spec"]["activeDeadlineSeconds"]) == ("Never", 90)
    assert found["spec"]["automountServiceAccountToken"] is False
    assert purge_pod(original, 90, is_dry_run=True)["spec"]["containers"][0]["args"][-1] == "--dry-run"


def test_the_operator_does_not_take_the_pod_for_that_of_a_job() -> None:
    metadata = purge_pod(pod_of_job(), 90, is_dry_run=False)["metadata"]
    assert set(metadata["labels"]) == {"app.kubernetes.io/name", "sluice.dev/tenant", "sluice.dev/provider"}
    assert "ownerReferences" not in metadata
    assert metadata["generateName"] == f"{pod_of_job()['metadata']['labels']['sluice.dev/job']}-purge-"


def test_of_the_volumes_only_the_key_for_firestore_is_mounted() -> None:
    spec = purge_pod(pod_of_job("pod-alpaca"), 90, is_dry_run=False)["spec"]
    assert [each["name"] for each in spec["volumes"]] == ["firestore"]
    assert [each["mountPath"] for each in spec["containers"][0]["volumeMounts"]] == ["/etc/sluice/firestore"]
    assert purge_pod(pod_of_job(), 90, is_dry_run=False)["spec"]["volumes"] == []


@pytest.mark.parametrize(("document", "is_refused"), [(job(), True), (paused_job("api"), False)])
def test_only_a_job_that_does_not_write_is_purged(document: dict[str, Any], is_refused: bool) -> None:
    assert bool(refusal_of_purge(status_of_job(document, PauseView({}), NOW))) is is_refused


def test_the_result_is_that_of_the_container() -> None:
    reported = json.dumps({"found": {"quotes": 4}, "deleted": {"quotes": 3, "bars": "x"}, "error": ""})
    assert result_of_purge(ended(reported)) == PurgeResult({"quotes": 4}, {"quotes": 3}, "")
    assert result_of_purge({"status": {"phase": "Running"}}) is None


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("sluice-runtime: no key\x1b[31m", "sluice-runtime: no key?[31m"),
        (
            "sluice-runtime: purge is not a command; see sluice-runtime --help",
            "the image of the job's pod is older than this command; upgrade the operator, which replaces the pod",
        ),
        (None, "its pod ended without a result"),
    ],
)
def test_a_pod_that_fails_without_a_result_says_why(message: str | None, error: str) -> None:
    assert result_of_purge(ended(message, "Failed")) == PurgeResult({}, {}, error)


def test_what_a_pod_waits_for_is_known() -> None:
    waiting = {"name": "purge", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}
    assert pending_reason({"status": {"containerStatuses": [waiting]}}) == "ImagePullBackOff: not found"
    unscheduled = {"type": "PodScheduled", "status": "False", "message": "no node"}
    assert pending_reason({"status": {"conditions": [unscheduled]}}) == "no node"
    assert pending_reason({"status": {"phase": "Pending"}}) == "its pod is Pending"
