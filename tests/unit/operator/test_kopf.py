"""kopf as a reflector: it reads no state from an object, writes nothing, and therefore loses no event."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator import handlers
from sluice_operator.adapters.access import ReadOnlyMiddleware, WriteInReadOnlySession, create_read_only_session
from sluice_operator.kopf_storages import EmptyDiffBaseStorage, EmptyProgressStorage

SPOILT: dict[str, Any] = {
    "metadata": {
        "annotations": {
            "kopf.zalando.org/last-handled-configuration": "{",
            "kopf.zalando.org/job_event": "{",
            "kopf.zalando.org/touch-dummy": "{",
        }
    },
    "status": {"kopf": {"progress": "{"}},
}


@pytest.mark.parametrize("storage", [EmptyDiffBaseStorage(), EmptyProgressStorage()])
def test_a_storage_reads_nothing_and_stores_nothing(storage: Any) -> None:
    patch: dict[str, Any] = {}
    given = {"key": "job_event", "body": SPOILT, "patch": patch, "essence": {}, "record": {}, "value": "now"}
    assert storage.fetch(**given) is None
    for name in ("store", "purge", "touch"):
        if hasattr(storage, name):
            getattr(storage, name)(**given)
    assert patch == {}


def test_kopf_keeps_nothing_on_an_object() -> None:
    chosen = handlers.kopf_settings()
    assert isinstance(chosen.persistence.diffbase_storage, EmptyDiffBaseStorage)
    assert isinstance(chosen.persistence.progress_storage, EmptyProgressStorage)
    assert " " in chosen.persistence.finalizer
    assert list(chosen.queueing.error_delays) == [0.0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_kopfs_session_sends_no_write_and_logs_and_counts_each_attempt(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[None] = []
    read_only = ReadOnlyMiddleware(lambda: refused.append(None))
    client = ApiClient(Configuration(host="http://127.0.0.1:9"))
    async with create_read_only_session(client, read_only, 1) as session:
        for _ in range(2):
            with pytest.raises(WriteInReadOnlySession, match=f"{method} /api/v1/pods"):
                await session.request(method, "http://127.0.0.1:9/api/v1/pods?token=x")
    assert len(refused) == 2
    [record] = caplog.records
    assert (record.levelname, vars(record)["request"]) == ("ERROR", f"{method} /api/v1/pods")


def test_kopf_does_not_retry_a_rejected_write() -> None:
    retried = (aiohttp.ClientError, RuntimeError, OSError, TimeoutError)  # a superset of what kopf retries
    assert not issubclass(WriteInReadOnlySession, retried)
