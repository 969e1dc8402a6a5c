import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.resource import IngestJob
from sluice_contract.spec import FirestoreSettings
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.failure import SinkError
from sluice_runtime.loops.write_log import WriteLog
from sluice_runtime.ports import WriteMeter
from sluice_runtime.settings import Settings
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.factory import create_firestore_sink
from sluice_runtime.sinks.firestore.request_gate import RecordRequest
from sluice_runtime.standalone_settings import standalone_settings
from support.runtime_fakes import desired, stored_job

REAL_TIME = True  # a thread searches for credentials
RUNTIME_ID = uuid.UUID("5f0c7a52-7b3c-4d0e-9a55-0f3d6b1f2c11")
AIM = LatestValue(desired())


def settings(declared: IngestJob | None = None, **changes: Any) -> Settings:
    plain = standalone_settings(declared or stored_job(), {"SLUICE_STATE_DIR": "unused"}, 7, RUNTIME_ID)
    return msgspec.structs.replace(plain, **changes)


class FakeConnection:
    """Remembers its arguments and the paths of the documents that were requested."""

    def __init__(self, settings: FirestoreSettings, project_id: str, key: Path | None) -> None:
        self.made_for = (project_id, settings.live_quotes_collection)
        self.key = key
        self.paths: list[str] = []

    def resource_name(self, path: str) -> str:
        self.paths.append(path)
        return path


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[FakeConnection]:
    made: list[FakeConnection] = []

    async def make(
        settings: FirestoreSettings, project_id: str, key: Path | None, meter: WriteMeter | None, record: RecordRequest
    ) -> FakeConnection:
        made.append(FakeConnection(settings, project_id, key))
        return made[-1]

    monkeypatch.setattr("sluice_runtime.sinks.firestore.factory.open_firestore_connection", make)
    return made


async def test_the_job_s_project_takes_precedence_over_the_cluster_s(connections: list[FakeConnection]) -> None:
    injected = msgspec.structs.replace(settings().job, project_id="of-the-cluster")
    await create_firestore_sink(settings(job=injected), AIM, WriteLog()).open()
    own = stored_job(firestore={"projectID": "demo-own", "liveQuotesCollection": "latest"})
    await create_firestore_sink(settings(job=msgspec.structs.replace(injected, spec=own.spec)), AIM, WriteLog()).open()
    assert [each.made_for for each in connections] == [("of-the-cluster", "live_quotes"), ("demo-own", "latest")]


async def test_the_heartbeat_goes_to_the_declared_document_of_the_tenant(connections: list[FakeConnection]) -> None:
    await create_firestore_sink(settings(stored_job(heartbeat={"document": "another"})), AIM, WriteLog()).open()
    assert connections[0].paths == ["tenants/acme/ops/another"]


async def test_only_a_declared_secret_is_read(connections: list[FakeConnection]) -> None:
    await create_firestore_sink(settings(), AIM, WriteLog()).open()
    await create_firestore_sink(
        settings(stored_job(firestore={"credentialsSecretRef": {"name": "google"}})), AIM, WriteLog()
    ).open()
    assert [each.key for each in connections] == [None, Path("/etc/sluice/firestore/credentials.json")]


async def test_without_credentials_only_a_dry_run_can_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(SinkError, match=r"there are no usable credentials for Firestore \(.*try a dry run"):
        await create_firestore_sink(settings(), AIM, WriteLog()).open()
    pod = msgspec.structs.replace(settings().job, uid="0b0b")
    with pytest.raises(SinkError, match=r"put a service account key under credentials\.json in the Secret"):
        await create_firestore_sink(settings(job=pod, pod_uid="b0d"), AIM, WriteLog()).open()
    await create_firestore_sink(settings(), LatestValue(desired(dryRun=True)), WriteLog()).open()


@pytest.mark.parametrize("content", ["", "123", "[]", "null", "true", '"x"', "{}", '{"type": 1}', "[" * 50_000, "\xff"])
async def test_an_invalid_key_is_reported_whatever_its_content(content: str, tmp_path: Path) -> None:
    key = tmp_path / "credentials.json"
    key.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=r"^there are no usable credentials for Firestore \(.+\)$"):
        await open_firestore_connection(FirestoreSettings(), "demo", key)
    key.unlink()
    key.mkdir()
    with pytest.raises(ValueError, match="there are no usable credentials for Firestore"):
        await open_firestore_connection(FirestoreSettings(), "demo", key)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTPS_PROXY", "socks5://me:secret@proxy:1080", "HTTPS_PROXY is not the URL of an HTTP proxy; write it like"),
        ("HTTPS_PROXY", "https://me:secret@proxy:3129", "gRPC does not support proxies with https://; name one with"),
        ("FIRESTORE_EMULATOR_HOST", "localhost", "FIRESTORE_EMULATOR_HOST is 'localhost'; write host:port, such as"),
    ],
)
async def test_a_variable_that_cannot_be_used_is_named_without_advice_about_credentials(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "firestore.example:8080")
    monkeypatch.setenv(name, value)
    sink = create_firestore_sink(settings(), AIM, WriteLog())
    with pytest.raises(SinkError) as failure:
        await sink.open()
    assert words in failure.value.message
    assert "service account" not in failure.value.message
    assert "secret" not in failure.value.message
