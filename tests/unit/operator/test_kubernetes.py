"""The requests of the cluster's adapter, without an API server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.status import IngestJobStatus
from sluice_operator.adapters.kubernetes import KubernetesCluster
from sluice_operator.domain.objects import decode_job
from sluice_operator.ports import Conflict, RequestRefused, Unavailable

from .world import KEY, SYNTHETIC

JOB = "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs/us-equities"
POD = "/api/v1/namespaces/acme/pods/us-equities-ingest"


class FakeSender:
    """A RequestSender with one answer for each method; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self._answers = answers

    async def send_request(self, method: str, path: str, query: Any = None, body: Any = None) -> bytes:
        self.requests.append((method, path, body))
        answer = self._answers.get(method, {})
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else msgspec.json.encode(answer)


def cluster(sender: FakeSender) -> KubernetesCluster:
    return KubernetesCluster(sender)  # type: ignore[arg-type]


def job(**status: Any) -> dict[str, Any]:
    metadata = {"namespace": KEY[0], "name": KEY[1], "uid": "job-1", "generation": 1, "resourceVersion": "5"}
    return {"metadata": metadata, "spec": SYNTHETIC, "status": status}


async def test_the_labels_of_a_namespace_and_the_uid_of_the_cluster_are_read() -> None:
    metadata = {"name": "acme", "uid": "u", "labels": {"sluice.dev/tenant": "acme"}}
    sender = FakeSender(GET={"metadata": metadata})
    assert await cluster(sender).read_tenant_label("acme") == "acme"
    assert await cluster(sender).read_cluster_uid() == "u"
    assert [path for _, path, _ in sender.requests] == ["/api/v1/namespaces/acme", "/api/v1/namespaces/kube-system"]


async def test_a_job_and_its_pod_are_read_by_their_names() -> None:
    sender = FakeSender(GET=job())
    assert (await cluster(sender).read_job(KEY)).key == KEY
    assert (await cluster(sender).read_pod(KEY)).metadata.uid == "job-1"
    assert [path for _, path, _ in sender.requests] == [JOB, POD]


async def test_a_response_that_is_cut_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="the response is not understood"):
        await cluster(FakeSender(GET=b'{"metadata"')).read_job(KEY)


async def test_an_applied_status_needs_no_merge_patch() -> None:
    sender = FakeSender(PATCH=job(phase="Running", stream={"state": "Live"}))
    await cluster(sender).write_operator_status(decode_job(job()), IngestJobStatus(phase="Running"))
    [(method, path, body)] = sender.requests
    assert (method, path, body["status"]) == ("PATCH", f"{JOB}/status", {"phase": "Running"})
    assert body["metadata"]["resourceVersion"] == "5"


async def test_the_difference_is_merged_if_the_apply_is_refused() -> None:
    sender = FakeSender(PATCH=RequestRefused("no"), GET=job(phase="Failed", podName="other"), MERGE=job())
    await cluster(sender).write_operator_status(decode_job(job()), IngestJobStatus(phase="Running"))
    *_, (method, path, body) = sender.requests
    assert (method, path) == ("MERGE", f"{JOB}/status")
    assert body == {"metadata": {"uid": "job-1"}, "status": {"phase": "Running", "podName": None}}


async def test_the_difference_to_another_version_is_not_merged() -> None:
    stored = job(phase="Failed")
    stored["metadata"] |= {"uid": "job-2", "resourceVersion": "6"}
    sender = FakeSender(PATCH=RequestRefused("no"), GET=stored, MERGE=job())
    with pytest.raises(Conflict):
        await cluster(sender).write_operator_status(decode_job(job()), IngestJobStatus(phase="Running"))
    assert [method for method, *_ in sender.requests] == ["PATCH", "GET"]


async def test_the_account_is_applied_before_its_binding() -> None:
    sender = FakeSender()
    await cluster(sender).apply_account_and_role_binding("acme")
    assert [body["kind"] for _, _, body in sender.requests] == ["ServiceAccount", "RoleBinding"]


async def test_a_pod_is_created_and_deleted_only_as_it_was_seen() -> None:
    sender, manifest = FakeSender(POST=job()), {"metadata": {"namespace": "acme"}}
    assert await cluster(sender).create_pod(manifest) == job()
    await cluster(sender).delete_pod(KEY, "pod-1", "7")
    await cluster(sender).create_event(manifest)
    (_, create, _), (method, path, body), (_, event, _) = sender.requests
    assert (create, event) == ("/api/v1/namespaces/acme/pods", "/api/v1/namespaces/acme/events")
    assert (method, path) == ("DELETE", POD)
    assert body["preconditions"] == {"uid": "pod-1", "resourceVersion": "7"}
