import atexit
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.resource import IngestJob
from sluice_contract.spec import FirestoreSettings
from sluice_contract.values import SecretReference
from sluice_runtime.adapters.alpaca.credentials import CredentialsReader
from sluice_runtime.adapters.alpaca.source import AlpacaSource
from sluice_runtime.adapters.firestore.connection import open_firestore_connection
from sluice_runtime.adapters.ibkr.source import IBKRSource
from sluice_runtime.adapters.recording import QuoteRecordingSource
from sluice_runtime.adapters.replay import ReplaySource
from sluice_runtime.adapters.synthetic import SyntheticSource
from sluice_runtime.domain.desired import UNREAD
from sluice_runtime.domain.failure import SinkError, StreamError
from sluice_runtime.factories import (
    create_calendar_client,
    create_history_client,
    create_journal,
    create_sink,
    create_source,
    create_tape,
)
from sluice_runtime.loops.latest_value import LatestValue
from sluice_runtime.settings import Settings, SettingsError
from sluice_runtime.standalone_settings import standalone_settings
from support.fake_listener import FakeListener
from support.runtime_fakes import desired, stored_job

TAPE = {"tape": {"configMapRef": {"name": "tapes", "key": "day.csv"}}, "speed": 2.0}
RUNTIME_ID = uuid.UUID("5f0c7a52-7b3c-4d0e-9a55-0f3d6b1f2c11")
REAL_TIME = True  # a thread searches for credentials

AIM = LatestValue(desired())
ACCOUNT = {"credentialsSecretRef": {"name": "alpaca"}}


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

    async def make(settings: FirestoreSettings, project_id: str, key: Path | None) -> FakeConnection:
        made.append(FakeConnection(settings, project_id, key))
        return made[-1]

    monkeypatch.setattr("sluice_runtime.factories.open_firestore_connection", make)
    return made


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Return the functions that the process would call at its exit."""
    registered: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    return registered


def test_nothing_streams_before_the_live_job_has_been_read() -> None:
    book = create_journal(settings())
    assert (book.desired.value.pause, book.desired.value.generation) == (UNREAD, 0)
    assert book.desired.value.declared == frozenset()
    assert (book.state, book.switches.value) == ("Stopped", ())


def test_the_journal_has_the_identity_of_its_process() -> None:
    first, second = (create_journal(settings()).identity for _ in range(2))
    assert (first.namespace, first.name, first.tenant, first.provider) == ("acme", "us", "acme", "synthetic")
    assert (first.pod_uid, first.epoch) == ("standalone", 7)
    assert first.job_uid == second.job_uid
    assert first.session_id != second.session_id


def test_each_provider_has_its_source() -> None:
    synthetic = create_source(settings(stored_job(synthetic={"quotesPerSecond": 77})))
    assert isinstance(synthetic, SyntheticSource)
    assert (synthetic.name, synthetic.quotes_per_second) == ("synthetic", 77)
    assert isinstance(create_source(settings(stored_job(provider="alpaca", alpaca=ACCOUNT))), AlpacaSource)
    assert isinstance(create_source(settings(stored_job(provider="replay", replay=TAPE))), ReplaySource)
    assert isinstance(create_source(settings(stored_job(provider="ibkr", ibkr={"host": "gateway"}))), IBKRSource)


async def test_the_path_of_a_tape_is_the_key_of_its_config_map(tmp_path: Path) -> None:
    source = create_source(settings(stored_job(provider="replay", replay=TAPE), tape_dir=tmp_path))
    with pytest.raises(StreamError, match=r"day\.csv"):
        async with source.connect(FakeListener()):
            pass


def test_ibkr_without_a_gateway_is_reported() -> None:
    with pytest.raises(SettingsError, match=r"spec\.ibkr is missing"):
        create_source(settings(stored_job(provider="ibkr")))


def test_a_replay_without_a_tape_is_reported() -> None:
    with pytest.raises(SettingsError, match=r"spec\.replay is missing"):
        create_source(settings(stored_job(provider="replay")))


@pytest.mark.parametrize("declared", [{}, {"alpaca": {}}])
def test_alpaca_without_credentials_is_simulated_and_says_so(declared: dict[str, Any]) -> None:
    source = create_source(settings(stored_job(provider="alpaca", dryRun=True, **declared)))
    assert isinstance(source, SyntheticSource)
    assert source.name == "alpaca:simulated"


async def test_a_given_mount_replaces_that_of_the_secret(tmp_path: Path) -> None:
    declared = settings(stored_job(provider="alpaca", alpaca=ACCOUNT))
    given = AlpacaSettings(credentials_secret_ref=SecretReference(name="given"))
    for source, name in (
        (create_source(declared), "alpaca"),
        (create_source(declared, CredentialsReader(given, tmp_path, None)), "given"),
    ):
        with pytest.raises(StreamError, match=f"the Secret {name} is missing"):
            async with source.connect(FakeListener()):
                pass


async def test_what_is_streamed_is_recorded_and_the_tape_is_closed_at_the_end(
    tmp_path: Path, at_exit: list[Callable[[], None]]
) -> None:
    declared = settings(record_file=tmp_path / "tape.csv.gz")
    source = create_source(declared, tape=create_tape(declared))
    assert isinstance(source, QuoteRecordingSource)
    assert source.name == "synthetic"
    async with source.connect(FakeListener()):
        pass
    [close] = at_exit
    close()
    assert (tmp_path / "tape.csv.gz").stat().st_size > 0


def test_a_recording_that_cannot_be_written_is_reported(tmp_path: Path, at_exit: list[Callable[[], None]]) -> None:
    with pytest.raises(SettingsError, match=r"^--record: .*tape\.csv cannot be written: No such file or directory$"):
        create_tape(settings(record_file=tmp_path / "nowhere" / "tape.csv"))
    assert at_exit == []


async def test_the_job_s_project_takes_precedence_over_the_cluster_s(connections: list[FakeConnection]) -> None:
    injected = msgspec.structs.replace(settings().job, project_id="of-the-cluster")
    await create_sink(settings(job=injected), AIM).open()
    own = stored_job(firestore={"projectID": "demo-own", "liveQuotesCollection": "latest"})
    await create_sink(settings(job=msgspec.structs.replace(injected, spec=own.spec)), AIM).open()
    assert [each.made_for for each in connections] == [("of-the-cluster", "live_quotes"), ("demo-own", "latest")]


async def test_the_heartbeat_goes_to_the_declared_document_of_the_tenant(connections: list[FakeConnection]) -> None:
    await create_sink(settings(stored_job(heartbeat={"document": "another"})), AIM).open()
    assert connections[0].paths == ["tenants/acme/ops/another"]


async def test_only_a_declared_secret_is_read(connections: list[FakeConnection]) -> None:
    await create_sink(settings(), AIM).open()
    await create_sink(settings(stored_job(firestore={"credentialsSecretRef": {"name": "google"}})), AIM).open()
    assert [each.key for each in connections] == [None, Path("/etc/sluice/firestore/credentials.json")]


async def test_without_credentials_only_a_dry_run_can_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(SinkError, match="there are no usable credentials for Firestore"):
        await create_sink(settings(), AIM).open()
    await create_sink(settings(), LatestValue(desired(dryRun=True))).open()


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
    sink = create_sink(settings(), AIM)
    with pytest.raises(SinkError) as failure:
        await sink.open()
    assert words in failure.value.message
    assert "service account" not in failure.value.message
    assert "secret" not in failure.value.message


def test_past_data_is_fetched_where_the_provider_has_it(tmp_path: Path) -> None:
    def has_history(**alpaca: Any) -> bool:
        declared = settings(stored_job(provider="alpaca", alpaca=ACCOUNT | alpaca), record_file=tmp_path / "tape.csv")
        return create_history_client(declared, None) is not None

    assert has_history()
    assert has_history(streamURL="ws://stream", dataURL="http://data")
    assert not has_history(streamURL="ws://stream")
    assert not has_history(feed="test")
    assert create_history_client(settings(), None) is None


@pytest.mark.parametrize(
    ("alpaca", "has_calendar"),
    [
        ({}, True),
        ({"feed": "overnight"}, True),
        ({"feed": "crypto"}, False),  # it has no trading days
        ({"streamURL": "wss://proxy.example/v2/iex"}, False),
        ({"streamURL": "wss://proxy.example/v2/iex", "tradingURL": "https://trading.example"}, True),
    ],
)
def test_a_calendar_is_requested_where_the_trading_interface_is_known(
    alpaca: dict[str, Any], has_calendar: bool
) -> None:
    declared = stored_job(provider="alpaca", alpaca={**ACCOUNT, **alpaca})
    assert (create_calendar_client(settings(declared), None) is not None) is has_calendar


@pytest.mark.parametrize(
    "spec", [{}, {"provider": "alpaca", "dryRun": True}, {"provider": "ibkr", "ibkr": {"host": "gateway"}}]
)
def test_a_provider_without_a_calendar_has_no_calendar_client(spec: dict[str, Any]) -> None:
    assert create_calendar_client(settings(stored_job(**spec)), None) is None
