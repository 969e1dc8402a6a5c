"""Every field, label and annotation that the operator reads, with values that no correct writer stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_contract.resource import ObjectMeta
from sluice_contract.status import IngestJobStatus
from sluice_operator.domain import facts, objects, restarts
from sluice_operator.domain.actions import CreatePod, DeletePod
from sluice_operator.domain.decision import decide
from sluice_operator.domain.document_claims import document_claim
from sluice_operator.domain.objects import Job, Pod
from sluice_operator.domain.observation import Observation
from sluice_operator.domain.reduced_documents import decode_job_text, decode_pod_text
from sluice_operator.domain.workload import pod_manifest
from sluice_operator.object_cache import object_version
from support.odd_values import ODD_TEXTS, ODD_VALUES, Document, filled_document, label, places, with_value

from .world import KEY, NOW, PODS, SYNTHETIC, World, condition, declared, live, said

Decoded = TypeVar("Decoded", Job, Pod)

METADATA = {"namespace": KEY[0], "name": KEY[1], "uid": "job-1", "generation": 1, "resourceVersion": "5"}
OWNER = {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "name": KEY[1], "uid": "job-1", "controller": True}
OWN_LABELS = {identity.MANAGED_BY_LABEL: identity.MANAGED_BY, identity.JOB_LABEL: KEY[1]}
OWN_ANNOTATIONS = {
    identity.EPOCH_ANNOTATION: "5",
    identity.COLD_HASH_ANNOTATION: "hash",
    identity.SPEC_HASH_ANNOTATION: "hash",
}
# The state of the ingest container, for each way in which the operator reads it.
STATES: tuple[Document, ...] = (
    {"running": {"startedAt": "2026-03-02T14:59:00Z"}},
    {"terminated": {"exitCode": 1, "reason": "Error", "message": "why"}},
    {"waiting": {"reason": "PodInitializing", "message": "why"}},
    {"waiting": {"reason": "CrashLoopBackOff", "message": "why"}},
)
# What the operator measures between reconciliations: a stale heartbeat, and a stop that is not confirmed.
AGES: tuple[dict[str, Any], ...] = (
    {},
    {"heartbeat_age_seconds": 100.0, "heartbeat_was_looked_up": True, "pausing_seconds": 20.0},
)
# The API server itself sets and checks these, so no other value is ever stored.
SET_BY_API_SERVER = {("metadata",), *(("metadata", name) for name in ("name", "namespace", "uid"))}


def job_document(**spec: Any) -> Document:
    """Return a stored job with a value in each field of its metadata and its status."""
    status = filled_document(IngestJobStatus)
    status["stream"] |= said("pod-1", 1) | {"openGap": None}
    status["restart"]["nextAt"] = "2026-03-02T14:00:00Z"
    metadata = filled_document(ObjectMeta) | METADATA | {"deletionTimestamp": None}
    return {"metadata": metadata, "spec": SYNTHETIC | spec, "status": status}


def pod_document(state: Document) -> Document:
    """Return a stored pod of the job, with a value in each field that the operator reads."""
    pod: Document = filled_document(Pod)
    pod["metadata"] |= METADATA | {"name": f"{KEY[1]}-ingest", "uid": "pod-1", "deletionTimestamp": None}
    pod["metadata"] |= {"labels": OWN_LABELS, "annotations": OWN_ANNOTATIONS, "ownerReferences": [OWNER]}
    container = filled_document(objects.ContainerStatus) | {"name": identity.CONTAINER, "state": state}
    pod["status"] |= {"phase": "Running", "containerStatuses": [container]}
    return pod


def decide_about(job: Job, pod: Pod | None) -> None:
    """Decide about a job and its pod, and encode what would be written. Nothing of it may raise."""
    document_claim(job, PODS.project_id)
    object_version(job)
    if pod is not None:
        object_version(pod)
    for ages in AGES:
        decision = decide(Observation(now=NOW, job=job, pod=pod, cold_hash="hash", **ages))
        if decision.status is not None:
            written = json.loads(json.dumps(msgspec.to_builtins(decision.status)))
            assert msgspec.convert(written, IngestJobStatus) == decision.status  # within the bounds of the schema
        if isinstance(decision.step, CreatePod) and job.spec is not None:
            pod_manifest(job, decision.step.epoch, "hash", PODS)


def failures_of_sweep(
    document: Document, decode: Callable[[bytes], Decoded], decide_with: Callable[[Decoded], None]
) -> list[str]:
    """Return the places and values that raise an exception.

    Most values are not readable, so that they decode to the same object. A decision depends only on the object, so it
    is made once for each.
    """
    failures = []
    decided: set[str] = set()
    for path in places(document):
        for value in ODD_VALUES:
            if path in SET_BY_API_SERVER and isinstance(value, str):
                continue
            try:
                text = json.dumps(with_value(document, path, value)).encode()
                msgspec.json.decode(text)
            except ValueError:
                continue  # no JSON has such a number
            try:
                decoded = decode(text)
                if (key := repr(decoded)) not in decided:
                    decided.add(key)
                    decide_with(decoded)
            except Exception as error:  # the sweep reports each of them
                failures.append(f"{'.'.join(map(str, path))} = {label(value)}: {error!r}")
    return failures


@pytest.mark.parametrize(
    ("state", "spec"), [(STATES[0], {}), (STATES[1], {}), (None, {}), (STATES[0], {"enabled": False})], ids=str
)
def test_no_field_of_a_job_prevents_a_decision(state: Document | None, spec: Document) -> None:
    pod = objects.decode_pod(pod_document(state)) if state is not None else None
    assert failures_of_sweep(job_document(**spec), decode_job_text, lambda job: decide_about(job, pod)) == []


@pytest.mark.parametrize("state", STATES, ids=str)
def test_no_field_of_a_pod_prevents_a_decision(state: Document) -> None:
    job = objects.decode_job(job_document())
    assert failures_of_sweep(pod_document(state), decode_pod_text, lambda pod: decide_about(job, pod)) == []


def test_the_sweep_has_every_label_and_annotation_of_the_operator() -> None:
    names = {value for name, value in vars(identity).items() if name.endswith(("_LABEL", "_ANNOTATION"))}
    only_written = {identity.NAME_LABEL, identity.TENANT_LABEL, identity.PROVIDER_LABEL}
    of_its_lease = {identity.OPERATOR_VERSION_ANNOTATION}
    assert names - only_written - of_its_lease == {*OWN_LABELS, *OWN_ANNOTATIONS}


@pytest.mark.parametrize("text", ODD_TEXTS, ids=label)
@pytest.mark.parametrize("name", [*OWN_LABELS, *OWN_ANNOTATIONS])
async def test_a_job_streams_again_after_an_odd_label_or_annotation_on_its_pod(
    world: World, name: str, text: str
) -> None:
    await live(world)
    [document] = world.cluster.pods.values()
    metadata = document["metadata"]
    metadata["labels" if name in OWN_LABELS else "annotations"][name] = text
    world.cluster.change("pods", document)
    await world.settle()
    await world.advance(30)
    if facts.pod_is_terminating(world.pod):
        world.cluster.finish(KEY)
        await world.settle()
    await world.streams()
    assert world.ready == ("True", c.STREAMING_REASON)
    assert facts.pod_epoch(world.pod) <= (world.job.status.epoch or 0)


@pytest.mark.parametrize("field", [None, *said("pod-1", 1), "pause", "stopsGeneration", "failure", "symbols"])
def test_no_odd_report_counts_as_a_confirmed_stop(field: str | None) -> None:
    pod = objects.decode_pod(pod_document({"running": {"startedAt": "2026-03-02T14:50:00Z"}}))
    job = job_document(enabled=False)
    for value in ODD_VALUES:
        stream = value if field is None else said("pod-1", 1) | {field: value}
        odd = objects.decode_job(with_value(job, ("status", "stream"), stream))
        step = decide(Observation(now=NOW, job=odd, pod=pod, cold_hash="hash", pausing_seconds=20.0)).step
        assert isinstance(step, DeletePod), label(value)
        assert step.enforces is not None, label(value)


@pytest.mark.parametrize(
    ("api_version", "is_own"),
    [
        (identity.API_VERSION, True), (f"{identity.GROUP}/v1", True), ("example.com/v1alpha1", False), ("v1", False),
        ("", False), (f"x.{identity.API_VERSION}", False), (f"{identity.GROUP}.example.com/v1", False),
    ],
)  # fmt: skip
async def test_a_pod_is_the_operator_s_if_its_owner_is_of_the_operator_s_group(
    world: World, api_version: str, is_own: bool
) -> None:
    await declared(world)
    document = next(iter(world.cluster.pods.values()))
    document["metadata"]["ownerReferences"][0]["apiVersion"] = api_version
    world.cluster.change("pods", document)
    await world.settle()
    assert facts.pod_was_created_by_operator(world.pod) == is_own
    assert (condition(world.job.status, c.STALLED) == ("True", c.NAME_CONFLICT)) != is_own
    before = list(world.cluster.pods)
    world.cluster.remove(KEY)
    await world.settle()
    assert list(world.cluster.pods) == ([] if is_own else before)


@pytest.mark.parametrize(
    "next_at", ["9999-12-31T23:59:59Z", "2026-03-03T15:00:00Z", "2026-03-02T15:05:01Z", "0001-01-01T00:00:00Z"]
)
async def test_a_restart_time_that_no_backoff_has_delays_no_pod(world: World, next_at: str) -> None:
    await declared(world)
    document = world.cluster.jobs[KEY]
    restart = {"count": 2**53 - 1, "nextAt": next_at}
    world.cluster.change("ingestjobs", document, status=document["status"] | {"restart": restart})
    world.cluster.pod_is(KEY, phase="Failed")
    await world.settle()
    assert world.cluster.pods == {}
    written = world.job.status.restart
    assert written is not None
    assert written.count == 2**53 - 1
    assert 0 < (written.next_at - NOW).total_seconds() <= restarts.RESTART_MOST_SECONDS
    await world.advance(restarts.RESTART_MOST_SECONDS + 1)
    assert len(world.cluster.pods) == 1
