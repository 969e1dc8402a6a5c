import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.purge import run_purge
from support.fake_kubectl import Console, FakeKubectl, job, paused_job

CONTAINER = {"name": "ingest", "image": "runtime:1", "command": ["sluice-runtime"], "env": []}
POD = {
    "kind": "Pod",
    "metadata": {"name": "us-equities-ingest", "namespace": "acme", "labels": {"sluice.dev/job": "us-equities"}},
    "spec": {"serviceAccountName": "sluice-ingest", "containers": [CONTAINER]},
}
COUNTS = {"quotes": 4, "bars": 0, "records": 2, "gaps": 1, "heartbeats": 1}
FINAL = {"quotes": 0, "bars": 0, "records": 0, "gaps": 0, "heartbeats": 1}


def cluster(*objects: dict[str, Any], results: tuple[dict[str, Any], ...] = ()) -> FakeKubectl:
    """Return a cluster in which the pods of a purge end with these results, and the pod of a job ends with the job."""
    kubectl = FakeKubectl(*copy.deepcopy(objects))
    remaining = list(results)

    def follow(found: FakeKubectl) -> None:
        if not found.of_kind("IngestJob"):
            found.objects[:] = [each for each in found.objects if each["metadata"]["name"] != "us-equities-ingest"]
        for each in found.of_kind("Pod"):
            if "purge" in each["metadata"]["name"] and "status" not in each:
                state = {"terminated": {"message": json.dumps(remaining.pop(0))}}
                each["status"] = {"phase": "Succeeded", "containerStatuses": [{"name": "purge", "state": state}]}

    kubectl.on_change = follow
    return kubectl


def result(deleted: dict[str, int], error: str = "") -> dict[str, Any]:
    return {"found": COUNTS, "deleted": deleted, "error": error}


def run(kubectl: FakeKubectl, words: str, typed: str = "") -> tuple[int, Console]:
    console = Console(kubectl, typed)
    options = argument_parser(["purge"]).parse_args(["purge", *words.split()])
    return run_purge(options, console.context), console


def test_a_job_that_streams_is_refused_with_the_command_that_pauses_it() -> None:
    kubectl = cluster(job(), POD)
    code, console = run(kubectl, "us-equities", "us-equities\n")
    assert (code, console.lines) == (1, [])
    assert "acme/us-equities is not paused (Running), so it can write." in console.errors
    assert '  → kubectl sluice pause us-equities -n acme --reason "purge"' in console.errors
    assert len(kubectl.of_kind("Pod")) == 1


def test_a_dry_run_counts_also_while_the_job_streams() -> None:
    code, console = run(cluster(job(), POD, results=(result({}),)), "acme/us-equities --dry-run")
    assert code == 0
    assert console.lines == [
        "acme/us-equities: found 4 quotes, 2 records of symbols, 1 gap, 1 heartbeat",
    ]


@pytest.mark.parametrize("typed", ["", "yes\n", "acme/us-equities\n"])
def test_nothing_is_deleted_unless_the_name_of_the_job_is_typed(typed: str) -> None:
    kubectl = cluster(paused_job("api"), POD)
    code, console = run(kubectl, "us-equities", typed)
    assert (code, console.errors) == (1, "Nothing was deleted.\n")
    assert len(kubectl.of_kind("Pod")) == 1


def test_the_counts_are_printed_with_what_remains() -> None:
    code, console = run(cluster(paused_job("api"), POD, results=(result(COUNTS),)), "us-equities", "us-equities\n")
    assert code == 0
    assert console.lines[1].endswith("deleted 4 quotes, 2 records of symbols, 1 gap, 1 heartbeat")
    assert console.lines[-1] == "  → kubectl sluice purge us-equities -n acme --delete-job"


def test_with_the_job_its_last_heartbeat_is_deleted_too() -> None:
    kubectl = cluster(paused_job("api"), POD, results=(result(COUNTS), result(FINAL)))
    code, console = run(kubectl, "us-equities --delete-job", "us-equities\n")
    assert code == 0
    assert console.lines[-1].endswith("deleted 4 quotes, 2 records of symbols, 1 gap, 2 heartbeats")
    assert kubectl.objects == []


def keep_pod(follow: Callable[[FakeKubectl], None]) -> Callable[[FakeKubectl], None]:
    def kept(found: FakeKubectl) -> None:
        own = [each for each in found.objects if each["metadata"]["name"] == "us-equities-ingest"]
        follow(found)
        found.objects += [each for each in own if each not in found.objects]

    return kept


def test_a_pod_that_outlives_its_job_is_named() -> None:
    kubectl = cluster(paused_job("api"), POD, results=(result(COUNTS),))
    kubectl.on_change = keep_pod(kubectl.on_change)
    code, console = run(kubectl, "us-equities --delete-job --timeout 5s", "us-equities\n")
    assert code == 1
    assert "the pod of the deleted job still runs" in console.errors


def test_a_failure_keeps_the_job() -> None:
    failed = result({"quotes": 4}, "Firestore did not accept a write; repeat the command, which deletes the rest")
    kubectl = cluster(paused_job("api"), POD, results=(failed,))
    code, console = run(kubectl, "us-equities --delete-job", "us-equities\n")
    assert code == 1
    assert "acme/us-equities: deleted 4 quotes" in console.lines[-1]
    assert console.errors.startswith("The deletion is not complete: Firestore did not accept a write")
    assert len(kubectl.of_kind("IngestJob")) == 1


def test_a_job_without_a_pod_has_the_settings_of_the_operator() -> None:
    operator = {"name": "operator", "env": [{"name": "SLUICE_RUNTIME_IMAGE", "value": "runtime:2"}]}
    kubectl = cluster(paused_job("api"), results=(result(COUNTS),))
    kubectl.answers = {
        "/apis/apps/v1/namespaces/sluice-system/deployments/sluice-operator": {
            "spec": {"template": {"spec": {"containers": [operator]}}}
        }
    }
    code, console = run(kubectl, "us-equities", "us-equities\n")
    assert code == 0
    assert console.lines[-1].endswith("deleted 4 quotes, 2 records of symbols, 1 gap, 1 heartbeat")


def test_a_job_without_a_pod_and_an_unknown_one_are_reported() -> None:
    code, console = run(cluster(paused_job("api")), "us-equities", "us-equities\n")
    assert code == 1
    assert "has no pod, and the operator's Deployment does not have its settings" in console.errors
    code, console = run(cluster(), "us-equities")
    assert (code, console.errors) == (1, "Job us-equities does not exist in namespace acme.\n")


def test_the_result_is_a_versioned_document() -> None:
    code, console = run(cluster(paused_job("api"), POD, results=(result({}),)), "us-equities --dry-run -o json")
    assert code == 0
    found = json.loads("\n".join(console.lines))
    assert (found["kind"], found["job"], found["found"]) == ("PurgeResult", "acme/us-equities", COUNTS)
