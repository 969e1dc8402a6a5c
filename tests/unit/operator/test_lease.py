"""The Lease of the replicas, as the API server may return it."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import msgspec
import pytest

from sluice_operator.adapters.lease import KubernetesLease
from sluice_operator.domain.election import LeaseRecord
from sluice_operator.ports import ClusterError, Unavailable

UNREADABLE = r"^the Lease cannot be read \(.*\); delete it, and a replica creates it again$"


class StoredLease:
    """An API that returns one Lease."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.written: dict[str, Any] = {}
        self.annotations: dict[str, str] | None = None

    async def send_request(self, method: str, path: str, query: object = None, body: Any = None) -> bytes:
        if body is not None:
            self.written = body["spec"]
            self.annotations = body["metadata"].get("annotations")
        return self._answer


def lease(**spec: object) -> KubernetesLease:
    return lease_with_answer(StoredLease(msgspec.json.encode({"metadata": {"resourceVersion": "7"}, "spec": spec})))


def lease_with_answer(stored: StoredLease) -> KubernetesLease:
    return KubernetesLease(stored, "sluice-system", "sluice-operator", 1.5)  # type: ignore[arg-type]


async def test_a_lease_of_another_client_is_read() -> None:
    found = await lease(holderIdentity="other", leaseDurationSeconds=15, renewTime="2026-03-02T15:00:00.123456Z").read()
    assert found is not None
    assert (found.holder, found.seconds, found.resource_version) == ("other", 15, "7")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("renewTime", "0000-01-01T00:00:00.000000Z"),
        ("acquireTime", "soon"),
        ("leaseDurationSeconds", "long"),
        ("leaseTransitions", 1.5),
        ("holderIdentity", 5),
        ("acquireTime", "0001-01-01T00:00:00.000000+01:00"),
        ("renewTime", "9999-12-31T23:59:59.000000-01:00"),
        ("renewTime", "10000-01-01T00:00:00.000000Z"),
    ],
)
async def test_a_lease_that_cannot_be_read_is_an_error_with_a_sentence(field: str, value: object) -> None:
    with pytest.raises(ClusterError, match=UNREADABLE):
        await lease(**{field: value}).read()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b"\xff",
        b'{"metadata": {}, "spec": {}',
        b'{"metadata": {}, "x": ' + b"[" * 100_000,
    ],
)
async def test_an_answer_that_is_not_a_json_object_is_no_answer(answer: bytes) -> None:
    with pytest.raises(Unavailable, match=r"^the Lease: the response is not understood"):
        await lease_with_answer(StoredLease(answer)).read()


@pytest.mark.parametrize(
    "answer",
    [b"{}", b'{"metadata": null}', b'{"metadata": {}, "spec": 5}', b'{"metadata": {"resourceVersion": "\xff"}}'],
)
async def test_an_answer_that_is_no_lease_is_an_error_with_a_sentence(answer: bytes) -> None:
    with pytest.raises(ClusterError, match=UNREADABLE):
        await lease_with_answer(StoredLease(answer)).read()


async def test_what_was_read_of_an_odd_lease_can_be_written() -> None:
    stored = StoredLease(b'{"metadata": {"resourceVersion": "8"}}')
    acquired = datetime(1, 1, 1, tzinfo=UTC)
    await lease_with_answer(stored).write(
        LeaseRecord("me", 15.0, acquired, acquired, transitions=2**31, resource_version="7")
    )
    assert stored.written["acquireTime"] == "0001-01-01T00:00:00.000000Z"
    assert stored.written["leaseTransitions"] == 2**31 - 1


@pytest.mark.parametrize(
    ("holder", "annotations"), [("me", {"sluice.dev/operator-version": version("sluice-operator")}), ("", None)]
)
async def test_the_lease_names_the_version_of_the_replica_that_leads(
    holder: str, annotations: dict[str, str] | None
) -> None:
    stored = StoredLease(b'{"metadata": {"resourceVersion": "8"}}')
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    await lease_with_answer(stored).write(LeaseRecord(holder, 15.0, moment, moment, resource_version="7"))
    assert stored.annotations == annotations
