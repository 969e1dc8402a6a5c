from typing import Any

from sluice_cli.model.findings import PROBLEM, WARNING
from sluice_cli.model.pod_findings import SecretNeed, pod_findings, secret_findings, secret_needs
from support.fake_kubectl import NOW, job, stamp

KEYS = ("ALPACA_KEY_ID", "ALPACA_SECRET_KEY")
NEED = SecretNeed("acme", "alpaca", KEYS, "alpaca.credentialsSecretRef", "feed")


def pod(phase: str = "Running", *containers: dict[str, Any], age: float = 600.0) -> dict[str, Any]:
    metadata = {"namespace": "acme", "name": "feed-ingest", "creationTimestamp": stamp(-age)}
    return {"metadata": metadata, "status": {"phase": phase, "containerStatuses": list(containers)}}


def test_the_secrets_of_a_job_are_those_that_its_spec_names() -> None:
    document = job("feed")
    document["spec"]["alpaca"]["credentialsSecretRef"] = {"name": "alpaca"}
    document["spec"]["firestore"] = {"credentialsSecretRef": {"name": "writer"}}
    assert [(each.name, each.keys) for each in secret_needs(document)] == [
        ("alpaca", KEYS),
        ("writer", ("credentials.json",)),
    ]


def test_a_missing_secret_and_a_missing_key_are_problems() -> None:
    [missing] = secret_findings(NEED, None)
    assert missing.severity == PROBLEM
    assert missing.command.startswith("kubectl create secret generic alpaca -n acme --from-literal=ALPACA_KEY_ID=")
    [incomplete] = secret_findings(NEED, frozenset({"ALPACA_KEY_ID"}))
    assert incomplete.message.endswith("lacks the key ALPACA_SECRET_KEY")
    assert list(secret_findings(NEED, frozenset({*KEYS, "other"}))) == []


def test_a_pod_that_runs_or_has_just_been_created_has_no_finding() -> None:
    assert list(pod_findings(pod("Running", {"name": "ingest", "restartCount": 0}), NOW)) == []
    assert list(pod_findings(pod("Pending", age=5), NOW)) == []


def test_a_pod_without_a_node_says_why() -> None:
    waiting = pod("Pending")
    waiting["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    ]
    [found] = pod_findings(waiting, NOW)
    assert (found.severity, found.message) == (PROBLEM, "the pod is Pending for 10m: 0/1 nodes are available")
    assert found.command == "kubectl describe pod feed-ingest -n acme"


def test_a_container_that_crashes_has_its_last_ending_and_the_command_for_its_log() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": stamp(-30)}}
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
    crashing = pod("Running", {"name": "ingest", "restartCount": 3, "state": state, "lastState": last})
    [found] = pod_findings(crashing, NOW)
    assert found.severity == PROBLEM
    assert found.message == (
        "container ingest waits, CrashLoopBackOff: back-off 40s; "
        "the last run ended with exit code 137 (OOMKilled) 30s ago"
    )
    assert found.command.endswith("-c ingest --previous --tail=50")


def test_an_image_that_cannot_be_pulled_is_one_finding() -> None:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    [found] = pod_findings(pod("Pending", {"name": "ingest", "state": state}), NOW)
    assert found.message == "container ingest waits, ImagePullBackOff: not found"


def test_restarts_are_a_warning() -> None:
    [found] = pod_findings(pod("Running", {"name": "ingest", "restartCount": 2}), NOW)
    assert (found.severity, found.message) == (WARNING, "container ingest was restarted 2 times")
