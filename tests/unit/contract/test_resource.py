from typing import Any

import msgspec
import pytest

from sluice_contract.resource import decode_ingest_job

DOCUMENT: dict[str, Any] = {
    "apiVersion": "sluice.dev/v1alpha1",
    "kind": "IngestJob",
    "metadata": {"name": "us", "namespace": "acme", "uid": "u", "generation": 2, "managedFields": []},
    "spec": {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL"]},
}


def test_a_document_as_the_api_server_serves_it_is_read() -> None:
    job = decode_ingest_job(DOCUMENT)
    assert (job.metadata.generation, job.spec.enabled, job.spec.limits.burst) == (2, True, 40)
    assert job.status.phase is None


def test_fields_of_a_later_version_are_no_error() -> None:
    job = decode_ingest_job({**DOCUMENT, "spec": {**DOCUMENT["spec"], "later": {"x": 1}}})
    assert job.spec.symbols == ["AAPL"]


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"symbols": ["aapl"]}, r"\$\.spec\.symbols\[0\]"),
        ({"symbols": []}, r"\$\.spec\.symbols"),
        ({"provider": "pigeon"}, r"\$\.spec\.provider"),
        ({"limits": {"writesPerSecond": 0}}, r"\$\.spec\.limits\.writesPerSecond"),
        ({"pause": {"until": "2026-01-01T00:00:00"}}, r"\$\.spec\.pause\.until"),
    ],
)
def test_a_field_out_of_its_bounds_is_named(spec: dict[str, Any], place: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=place):
        decode_ingest_job({**DOCUMENT, "spec": {**DOCUMENT["spec"], **spec}})
