import argparse

from sluice_cli.commands.cluster_requests import start_requests
from sluice_cli.commands.reading import read_cluster, read_pod
from sluice_cli.commands.selection import selection_of
from support.fake_kubectl import NOW, FakeKubectl, job, pause

EVERYWHERE = selection_of(argparse.Namespace(namespace="", all_namespaces=True), [])


def test_what_cannot_be_read_is_named() -> None:
    kubectl = FakeKubectl(job(), pause(jobs=["us-equities"]), denied=("list clusteringestpauses",))
    view = read_cluster(start_requests(kubectl, ["-A"], has_pauses=True))
    status = view.status(EVERYWHERE, NOW)
    assert [f"{each.what}: {each.why}" for each in status.unseen] == [
        "ClusterIngestPauses: you may not list clusteringestpauses.sluice.dev",
        "the operator: you may not get the Lease sluice-operator in sluice-system",
    ]
    assert status.operator is None
    assert status.jobs[0].pause is not None


def test_newer_jobs_take_the_place_of_the_older_ones() -> None:
    view = read_cluster(start_requests(FakeKubectl(job("a")), ["-A"], has_pauses=False))
    status = view.with_jobs((job("b"), job("c"))).status(EVERYWHERE, NOW)
    assert [each.name for each in status.jobs] == ["b", "c"]


def test_a_pod_is_read_by_the_name_of_its_job() -> None:
    metadata = {"name": "us-equities-ingest", "namespace": "acme"}
    pod = {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": "node-3"}, "status": {"phase": "Running"}}
    found, unseen = read_pod(FakeKubectl(pod), job())
    assert found is not None
    assert (found.node, unseen) == ("node-3", ())


def test_a_pod_that_does_not_exist_differs_from_one_that_may_not_be_read() -> None:
    assert read_pod(FakeKubectl(), job()) == (None, ())
    _, unseen = read_pod(FakeKubectl(denied=("get pods",)), job())
    assert [each.why for each in unseen] == ["you may not get pods"]
