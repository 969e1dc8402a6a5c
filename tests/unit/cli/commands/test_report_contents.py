from typing import Any

from sluice_cli.commands.report_contents import Collected, Log, collect, redacted_files
from support.fake_kubectl import FakeKubectl, job

SYSTEM = "/api/v1/namespaces/sluice-system"


def pod(name: str, namespace: str, container: str, restarts: int = 0) -> dict[str, Any]:
    status = {"containerStatuses": [{"name": container, "restartCount": restarts}]}
    return {"metadata": {"name": name, "namespace": namespace}, "status": status}


def event(kind: str, name: str) -> dict[str, Any]:
    return {"involvedObject": {"kind": kind, "name": name}, "message": "said"}


def test_the_operator_the_events_of_sluice_and_the_logs_are_read() -> None:
    kubectl = FakeKubectl()
    own = {"jobs.json": [job("feed")], "pods.json": [pod("feed-ingest", "acme", "ingest", restarts=1)]}
    events = [event("Pod", "feed-ingest"), event("Pod", "other"), event("IngestJob", "feed"), event("Node", "n")]
    kubectl.answers = {
        f"{SYSTEM}/pods": {"items": [pod("sluice-operator-x", "sluice-system", "operator")]},
        f"{SYSTEM}/events": {"items": []},
        "/api/v1/namespaces/acme/events": {"items": events},
    }
    kubectl.logs = {"feed-ingest": "a line\n", "sluice-operator-x": "another\n"}
    found = collect(kubectl, own, "acme", 10)
    assert [each["involvedObject"]["name"] for each in found.objects["events.json"]] == ["feed-ingest", "feed"]
    assert set(found.logs) == {
        "logs/acme/feed-ingest.log",
        "logs/acme/feed-ingest.previous.log",
        "logs/sluice-system/sluice-operator-x.log",
    }
    asked = [each[-1] for each in kubectl.commands if "/log?" in each[-1]]
    path = "/api/v1/namespaces/acme/pods/feed-ingest"
    assert asked[1] == f"{path}/log?container=ingest&tailLines=10&previous=true"
    assert {each.what for each in found.unseen} == {"operator.json", "operator-lease.json", "versions.json"}


def test_a_log_that_cannot_be_read_is_named() -> None:
    own = {"pods.json": [pod("feed-ingest", "acme", "ingest")]}
    found = collect(FakeKubectl(), own, "", 10)
    assert Log("acme", "feed-ingest", "ingest", is_previous=False).file in {each.what for each in found.unseen}


def test_projects_are_hidden_only_on_request() -> None:
    document = job()
    document["spec"]["firestore"] = {"projectID": "acme-prod"}
    log = {"logs/a.log": "projects/other-project/databases/(default)"}
    collected = Collected({"jobs.json": [document]}, log, ())
    assert "acme-prod" in redacted_files(collected, hides_projects=False)["jobs.json"]
    hidden = "".join(redacted_files(collected, hides_projects=True).values())
    assert "acme-prod" not in hidden
    assert "other-project" not in hidden
