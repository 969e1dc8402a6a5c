import json
from typing import Any

import pytest

from sluice_cli.commands.purge_pod import run_purge_pod
from sluice_cli.transport import NoAccessError, RefusedError, Request, Result
from support.fake_kubectl import Console, FakeKubectl, FakeRequest

CONTAINER = {"name": "ingest", "image": "runtime:1", "command": ["sluice-runtime"], "env": []}
POD = {
    "metadata": {"name": "feed-ingest", "namespace": "acme", "labels": {"sluice.dev/job": "feed"}},
    "spec": {"serviceAccountName": "sluice-ingest", "containers": [CONTAINER]},
}


def ends_with(kubectl: FakeKubectl, phase: str, message: str) -> None:
    """Let the pod end as soon as it is created."""
    for each in kubectl.of_kind("Pod"):
        state = {"terminated": {"exitCode": 0, "message": message}}
        each["status"] = {"phase": phase, "containerStatuses": [{"name": "purge", "state": state}]}


def test_the_pod_is_deleted_after_its_result_was_read() -> None:
    kubectl = FakeKubectl()
    result = json.dumps({"found": {"quotes": 1}, "deleted": {"quotes": 1}, "error": ""})
    kubectl.on_change = lambda found: ends_with(found, "Succeeded", result)
    found = run_purge_pod(Console(kubectl).context, POD, 60, is_dry_run=False)
    assert (found.deleted, found.error) == ({"quotes": 1}, "")
    assert kubectl.of_kind("Pod") == []


def test_a_pod_that_does_not_end_is_deleted_and_says_what_it_waits_for() -> None:
    kubectl = FakeKubectl()

    def wait(found: FakeKubectl) -> None:
        for each in found.of_kind("Pod"):
            each["status"] = {"phase": "Pending"}

    kubectl.on_change = wait
    found = run_purge_pod(Console(kubectl).context, POD, 60, is_dry_run=False)
    assert found.error == "it has not ended after 60 s (its pod is Pending); repeat it with --timeout 5m"
    assert kubectl.of_kind("Pod") == []


def test_a_pod_that_someone_deletes_is_reported() -> None:
    kubectl = FakeKubectl()
    kubectl.on_change = lambda found: found.objects.clear()
    found = run_purge_pod(Console(kubectl).context, POD, 60, is_dry_run=False)
    assert found.error.startswith("its pod was deleted before it ended")


def test_without_permission_nothing_is_created() -> None:
    kubectl = FakeKubectl(denied=("create pods",))
    with pytest.raises(NoAccessError):
        run_purge_pod(Console(kubectl).context, POD, 60, is_dry_run=False)


class StrictKubectl(FakeKubectl):
    """A cluster whose policy refuses each pod."""

    def start(self, *arguments: str, text: str | None = None) -> Request:
        refusal = f"ValidatingAdmissionPolicy '{self.namespace}' with binding denied request: no"
        return FakeRequest(Result(1, "", f'Error from server (Forbidden): pods "x" is forbidden: {refusal}'))


@pytest.mark.parametrize(
    ("policy", "said"), [("sluice-ingest-pods", "the right to create ingestjobs/pods in namespace acme"), ("x", "'x'")]
)
def test_a_refusal_by_the_policy_of_the_account_names_the_right(policy: str, said: str) -> None:
    kubectl = StrictKubectl()
    kubectl.namespace = policy
    with pytest.raises(RefusedError) as error:
        run_purge_pod(Console(kubectl).context, POD, 60, is_dry_run=False)
    assert said in str(error.value)


def test_a_pod_that_cannot_be_deleted_is_named_with_the_command() -> None:
    kubectl = FakeKubectl(denied=("delete pods",))
    message: dict[str, Any] = {"found": {}, "deleted": {}, "error": ""}
    kubectl.on_change = lambda found: ends_with(found, "Succeeded", json.dumps(message))
    console = Console(kubectl)
    assert run_purge_pod(console.context, POD, 60, is_dry_run=False).error == ""
    assert "  → kubectl delete pod feed-purge-x7k2p -n acme" in console.errors
