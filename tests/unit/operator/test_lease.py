"""The Lease of the replicas, as the API server may return it."""

from __future__ import annotations

import msgspec
import pytest

from sluice_operator.adapters.lease import KubernetesLease
from sluice_operator.ports import ClusterError


class StoredLease:
    """An API that returns one Lease."""

    def __init__(self, **spec: object) -> None:
        self._answer = msgspec.json.encode({"metadata": {"resourceVersion": "7"}, "spec": spec})

    async def send_request(self, *_: object) -> bytes:
        return self._answer


def lease(**spec: object) -> KubernetesLease:
    return KubernetesLease(StoredLease(**spec), "sluice-system", "sluice-operator")  # type: ignore[arg-type]


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
    ],
)
async def test_a_lease_that_cannot_be_read_is_an_error_with_a_sentence(field: str, value: object) -> None:
    with pytest.raises(
        ClusterError, match=r"^the Lease cannot be read \(.*\); delete it, and a replica creates it again$"
    ):
        await lease(**{field: value}).read()
