"""The reduction of the API server's texts: a reduced document is read as the same object as the whole document."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_contract import identity
from sluice_operator.domain import objects
from sluice_operator.domain.reduced_documents import (
    JOBS,
    PODS,
    ReducedKind,
    decode_list_page,
    decode_object_parts,
    decode_object_version,
    decode_watch_event,
    reduced_kind_of_path,
    watch_line_without_object,
)

from .world import KEY, SYNTHETIC

META = {
    "name": KEY[1],
    "namespace": KEY[0],
    "uid": "job-1",
    "generation": 3,
    "resourceVersion": "41",
    "creationTimestamp": "2026-03-02T14:00:00Z",
}
LARGE = {
    "annotations": {"example.com/note": "x" * 250_000},
    "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {f"f:{at}": {} for at in range(100)}}}],
}
PAUSED = [{"symbol": f"P{at}", "reason": "\N{ROCKET}" * 250} for at in range(200)]
REPORT = {"state": "Live", "podUID": "pod-1", "observedGeneration": 3}


def job(meta: Any = META, spec: Any = SYNTHETIC, status: Any = None) -> dict[str, Any]:
    """Return a stored job."""
    return {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "metadata": meta, "spec": spec, "status": status}


def pod(**metadata: Any) -> dict[str, Any]:
    """Return a stored pod whose container runs."""
    status = {
        "phase": "Running",
        "containerStatuses": [{"name": "ingest", "state": {"running": {"startedAt": "2026-03-02T14:00:00Z"}}}],
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}],
    }
    spec = {"serviceAccountName": identity.SERVICE_ACCOUNT, "containers": [{"name": "ingest"}]}
    return {"metadata": META | metadata, "spec": spec, "status": status}


JOB_DOCUMENTS = {
    "ordinary": job(status={"phase": "Running", "stream": REPORT}),
    "large": job(META | LARGE, SYNTHETIC | {"pausedSymbols": PAUSED}),
    "being deleted": job(META | {"deletionTimestamp": "2026-03-02T15:00:00Z", "finalizers": ["example.com/hold"]}),
    "paused": job(spec=SYNTHETIC | {"pause": {"reason": "vendor", "until": "2026-03-02T16:00:00Z"}, "enabled": False}),
    "unknown field": job(spec=SYNTHETIC | {"channels": ["quotes", "news"]}),
    "stop not understood": job(spec=SYNTHETIC | {"enabled": "no"}),
    "paused symbol not understood": job(spec=SYNTHETIC | {"pausedSymbols": [{"symbol": "A"}, {"symbol": 7}]}),
    "too many paused symbols": job(spec=SYNTHETIC | {"pausedSymbols": [{"symbol": f"P{at}"} for at in range(300)]}),
    "proxy variable": job(spec=SYNTHETIC | {"pod": {"env": [{"name": "HTTPS_PROXY", "value": "http://x"}]}}),
    "spec not an object": job(spec="all"),
    "no spec": {"metadata": META},
    "metadata not understood": job(META | {"generation": "three", "finalizers": "all"}),
    "no metadata": job(meta=None),
    "status not understood": job(status={"phase": 7, "conditions": [{"type": "Ready"}], "stream": REPORT}),
    "status text too long": job(status={"stream": REPORT | {"message": "x" * 100_000}, "phase": "x" * 10_000}),
}


def encode(document: Any) -> bytes:
    """Return the JSON text of a document."""
    return json.dumps(document).encode()


@pytest.mark.parametrize("document", JOB_DOCUMENTS.values(), ids=JOB_DOCUMENTS)
def test_a_job_is_the_same_with_and_without_reduction(document: dict[str, Any]) -> None:
    expected = objects.decode_job(document)
    assert JOBS.decode(encode(document)) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*SYNTHETIC, "enabled", "pause", "pausedSymbols", "pod", "firestore", "limits"])


@given(meta=st.dictionaries(st.sampled_from(list(META)), VALUES), spec=st.dictionaries(FIELDS, VALUES), status=VALUES)
def test_any_stored_job_is_the_same_with_and_without_reduction(meta: Any, spec: Any, status: Any) -> None:
    document = job(META | meta, SYNTHETIC | spec, status)
    assert JOBS.decode(encode(document)) == objects.decode_job(document)


@pytest.mark.parametrize("document", JOB_DOCUMENTS.values(), ids=JOB_DOCUMENTS)
def test_the_version_of_an_object_is_that_of_its_metadata(document: dict[str, Any]) -> None:
    metadata, found = objects.decode_job(document).metadata, decode_object_version(encode(document))
    assert (found.namespace, found.name, found.uid) == (metadata.namespace, metadata.name, metadata.uid)
    assert found.resource_version == metadata.resource_version


def test_a_pod_keeps_only_its_own_labels_and_annotations_and_its_controller() -> None:
    owner = {"kind": identity.KIND, "name": KEY[1], "uid": "job-1", "controller": True}
    own = {identity.MANAGED_BY_LABEL: identity.MANAGED_BY, identity.JOB_LABEL: KEY[1]}
    noted = {identity.EPOCH_ANNOTATION: "7", identity.COLD_HASH_ANNOTATION: "cold"}
    others = {"example.com/note": "x" * 1000}
    document = pod(
        labels=own | others, annotations=noted | others, ownerReferences=[owner, owner | {"controller": False}]
    )
    found = PODS.decode(encode(document))
    assert found == objects.decode_pod(document)
    assert (found.metadata.labels, found.metadata.annotations) == (own, noted)
    assert [each.controller for each in found.metadata.owner_references] == [True]


@pytest.mark.parametrize("change", [{"labels": []}, {"annotations": {"a": 7}}, {"generation": "x"}])
def test_a_pod_with_an_unreadable_field_is_the_same_with_and_without_reduction(change: dict[str, Any]) -> None:
    document = pod(**change)
    assert PODS.decode(encode(document)) == objects.decode_pod(document)


def line_for_kopf(event: dict[str, Any]) -> bytes:
    """Return what kopf gets in place of a line with this event, which has no changed object."""
    line = encode(event)
    return watch_line_without_object(decode_watch_event(line), line)


@pytest.mark.parametrize("error", [{"code": 500}, {"kind": "Status"}, {}, None, "gone", 410])
def test_each_error_of_a_watch_starts_again_with_a_list(error: object) -> None:
    line = json.loads(line_for_kopf({"type": "ERROR", "object": error}))
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410)


@pytest.mark.parametrize("bookmark", [None, [], "text"])
def test_a_bookmark_without_an_object_raises_a_decode_error(bookmark: object) -> None:
    with pytest.raises(msgspec.DecodeError):
        line_for_kopf({"type": "BOOKMARK", "object": bookmark})


@pytest.mark.parametrize("text", [b"", b"{", b'{"items": 7}', b"[]"])
def test_a_text_that_is_not_a_page_raises_a_decode_error(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_list_page(text)


def test_a_job_that_is_cut_off_raises_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_object_parts(encode(JOB_DOCUMENTS["ordinary"])[:-1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/apis/sluice.dev/v1alpha1/ingestjobs", JOBS),
        ("/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs", JOBS),
        ("/api/v1/namespaces/acme/pods", PODS),
        ("/apis/sluice.dev/v1alpha1", None),
        ("/api/v1/namespaces/acme/pods/us-ingest", None),
    ],
)
def test_only_lists_and_watches_of_jobs_and_pods_are_reduced(path: str, expected: object) -> None:
    assert reduced_kind_of_path(path) is expected


@pytest.mark.parametrize("kind", [JOBS, PODS], ids=lambda kind: kind.plural)
def test_managed_fields_that_are_nested_deeply_hide_no_object(kind: ReducedKind[Any]) -> None:
    document = job() if kind is JOBS else pod()
    plain, nested = json.dumps(document), '{"f:x":' * 5000 + "{}" + "}" * 5000
    deep = plain.replace('"uid":', f'"managedFields": [{{"fieldsV1": {nested}}}], "uid":', 1)
    expected = kind.decode(plain.encode())
    assert kind.decode(deep.encode()) == expected
    page = f'{{"kind": "List", "apiVersion": "v1", "metadata": {{}}, "items": [{plain}, {deep}]}}'
    assert [kind.decode(item) for item in decode_list_page(page.encode()).items or ()] == [expected, expected]
    line = f'{{"type": "MODIFIED", "object": {deep}}}'
    assert kind.decode(decode_watch_event(line.encode()).object) == expected
    assert decode_object_version(deep.encode()) == decode_object_version(plain.encode())
