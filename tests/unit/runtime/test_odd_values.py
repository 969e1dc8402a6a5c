"""Every stored field that the pod reads, with values that no correct writer stores."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from google.cloud.firestore_v1.types import Document as StoredFields

from sluice_contract.resource import ObjectMeta
from sluice_contract.status import StreamStatus
from sluice_contract.status_size import fit_stream_status
from sluice_runtime.adapters.decoding import decode_json
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.declared_job import DeclaredJob, parse_declared_job
from sluice_runtime.domain.failure import DocumentConflictError, FencedError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.heartbeat_owner import require_takeover_allowed
from sluice_runtime.domain.token_bucket import TokenBucket
from sluice_runtime.loop_wiring import create_document_store, create_gap_writer
from sluice_runtime.sinks.firestore.connection import StoredDocument
from sluice_runtime.sinks.firestore.stored_heartbeat import HEARTBEAT_FIELDS, stored_heartbeat
from sluice_runtime.sinks.firestore.values import encode_fields
from support.fake_sink import FakeSink
from support.odd_values import (
    FIVE_THOUSAND_DIGITS,
    ODD_TIMES,
    ODD_VALUES,
    Document,
    filled_document,
    label,
    places,
    with_value,
)
from support.runtime_fakes import JOB_UID, FakeJob, runtime_state
from support.runtime_worlds import update_desired, watch_job
from support.sinks import heartbeat
from support.virtual_time import seconds

SPEC = {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL", "MSFT"]}
OWN = heartbeat(JOB_UID, 7)


def stored_job(**spec: Any) -> Document:
    """Return a stored job with a value in each field of its metadata and of the status that its last pod reported."""
    metadata = filled_document(ObjectMeta) | {"uid": JOB_UID, "deletionTimestamp": None}
    return {"metadata": metadata, "spec": SPEC | spec, "status": {"stream": filled_document(StreamStatus)}}


async def run_with_stored_job(document: Document) -> StreamStatus:
    """Let a pod read a stored job, become live, and write its gaps and its report. Return what it reports then."""
    runtime, sink, declared = runtime_state(), FakeSink(), LatestValue[DeclaredJob | None](None)
    await run_with_timeout(0.1, watch_job(FakeJob(parse_declared_job(document)), declared, runtime))
    await run_with_timeout(0.1, update_desired(declared, runtime))
    runtime.stream.on_state("Live")
    await run_with_timeout(
        5.0,
        create_gap_writer(
            runtime, create_document_store(runtime, sink, "fake:iex"), TokenBucket(10.0, 100, seconds())
        ).run(),
    )
    for gap in sink.gaps.values():
        encode_fields(StoredFields.pb(StoredFields()).fields, gap)
    return fit_stream_status(stream_status(runtime.snapshot()))


def as_read(document: Document) -> Document | None:
    """Return a document as the pod reads it from the API server; None if the pod refuses its JSON, and reads again."""
    try:
        return decode_json(json.dumps(document).encode(), dict)
    except (ValueError, msgspec.MsgspecError):  # no JSON has such a number
        return None


@pytest.mark.parametrize("spec", [{}, {"enabled": False}], ids=["streaming", "stopped"])
async def test_no_field_of_its_job_ends_a_pod(spec: Document) -> None:
    document, tried = stored_job(**spec), 0
    for path in places(document):
        # The sweep of the schema has the fields of the spec. A stop does not depend on what the last pod reported.
        if path[0] == "spec" or (spec and len(path) > 2 and path[0] == "status"):
            continue
        for value in ODD_VALUES:
            if (read := as_read(with_value(document, path, value))) is None:
                continue
            reported, tried = await run_with_stored_job(read), tried + 1
            written = json.loads(json.dumps(msgspec.to_builtins(reported)))
            assert msgspec.convert(written, StreamStatus) == reported, f"{path}: {label(value)}"
            is_paused = spec != {} or (path == ("metadata", "deletionTimestamp") and value in ODD_TIMES)
            assert (reported.pause is not None) == is_paused, f"{path}: {label(value)}"
    assert tried > 300


@pytest.mark.parametrize("uid", [JOB_UID, "another", None])
@pytest.mark.parametrize("field", HEARTBEAT_FIELDS)
def test_no_field_of_a_stored_heartbeat_ends_a_pod_but_a_later_epoch(field: str, uid: str | None) -> None:
    for value in ODD_VALUES:
        fields = OWN.document_fields() | {"job_uid": uid, field: value}
        stored = stored_heartbeat(StoredDocument("heartbeat", fields, None, 5.0))
        is_later = field == "epoch" and uid == JOB_UID and value == 2**53 - 1
        with pytest.raises(FencedError) if is_later else contextlib.suppress(DocumentConflictError):
            require_takeover_allowed(stored, OWN)


@pytest.mark.parametrize(
    "epoch", [2**53, 2**63 - 1, -1, True, 7.5, 10**4999, FIVE_THOUSAND_DIGITS, float("nan"), None, [], {}], ids=label
)
def test_an_epoch_that_no_pod_can_have_does_not_fence_a_pod(epoch: object) -> None:
    fields = OWN.document_fields() | {"epoch": epoch}
    assert stored_heartbeat(StoredDocument("heartbeat", fields, None, 5.0)).epoch is None


@pytest.mark.parametrize("interval", [True, float("nan"), -1, 0, "15000", FIVE_THOUSAND_DIGITS, None, []], ids=label)
def test_an_odd_interval_counts_as_this_job_s_own(interval: object) -> None:
    fields = heartbeat("another", 1).document_fields() | {"job": "acme/other", "heartbeat_interval_ms": interval}
    stored = stored_heartbeat(StoredDocument("heartbeat", fields, None, 5.0))
    assert stored.interval_seconds is None
    with pytest.raises(DocumentConflictError, match="45 s"):
        require_takeover_allowed(stored, OWN)
