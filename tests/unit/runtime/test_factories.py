import atexit
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sluice_contract.resource import IngestJob
from sluice_runtime.adapters.recording import QuoteRecordingSource
from sluice_runtime.domain.desired import UNREAD
from sluice_runtime.domain.market_hours import ALWAYS_OPEN, REGULAR_AND_EXTENDED_HOURS
from sluice_runtime.domain.slot import key_digest
from sluice_runtime.factories import (
    create_clients,
    create_key_digest_reader,
    create_preflight,
    create_runtime_state,
    create_tape,
    market_hours_of_job,
    slot_lease_name_of_job,
    with_quote_log_and_tape,
)
from sluice_runtime.providers.provider import ProviderClients, StreamKey
from sluice_runtime.providers.simulated_quotes import SyntheticSource
from sluice_runtime.settings import Settings, SettingsError
from sluice_runtime.standalone_settings import standalone_settings
from support.fake_listener import FakeListener
from support.runtime_fakes import job_spec, stored_job

TAPE = {"tape": {"configMapRef": {"name": "tapes", "key": "day.csv"}}, "speed": 2.0}
RUNTIME_ID = uuid.UUID("5f0c7a52-7b3c-4d0e-9a55-0f3d6b1f2c11")

ACCOUNT = {"credentialsSecretRef": {"name": "alpaca"}}


def settings(declared: IngestJob | None = None, **changes: Any) -> Settings:
    plain = standalone_settings(declared or stored_job(), {"SLUICE_STATE_DIR": "unused"}, 7, RUNTIME_ID)
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Return the functions that the process would call at its exit."""
    registered: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    return registered


def test_nothing_streams_before_the_live_job_has_been_read() -> None:
    runtime = create_runtime_state(settings())
    assert (runtime.desired.value.pause, runtime.desired.value.generation) == (UNREAD, 0)
    assert runtime.desired.value.declared == frozenset()
    assert (runtime.stream.state, runtime.switches.value) == ("Stopped", ())


def test_the_state_has_the_identity_of_its_process() -> None:
    first, second = (create_runtime_state(settings()).process.identity for _ in range(2))
    assert (first.namespace, first.name, first.tenant, first.provider) == ("acme", "us", "acme", "synthetic")
    assert (first.pod_uid, first.epoch) == ("standalone", 7)
    assert first.job_uid == second.job_uid
    assert first.session_id != second.session_id


async def test_what_is_streamed_is_recorded_and_the_tape_is_closed_at_the_end(
    tmp_path: Path, at_exit: list[Callable[[], None]]
) -> None:
    declared = settings(record_file=tmp_path / "tape.csv.gz")
    source = with_quote_log_and_tape(create_clients(declared, {}).source, declared, create_tape(declared))
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


def test_the_clients_are_those_of_the_declared_provider() -> None:
    clients = create_clients(settings(stored_job(synthetic={"quotesPerSecond": 77})), {})
    assert isinstance(clients.source, SyntheticSource)
    assert clients.source.quotes_per_second == 77
    assert (clients.snapshots, clients.history, clients.trading_days) == (None, None, None)


@pytest.mark.parametrize(
    "spec", [{}, {"provider": "alpaca", "dryRun": True}, {"provider": "ibkr", "ibkr": {"host": "gateway"}}]
)
def test_a_job_without_an_account_has_no_preflight(spec: dict[str, Any]) -> None:
    assert create_preflight(settings(stored_job(**spec)), {}) is None


def test_a_provider_without_market_hours_has_those_of_the_new_york_exchanges() -> None:
    assert market_hours_of_job(job_spec(provider="ibkr", ibkr={"host": "gateway"})) == REGULAR_AND_EXTENDED_HOURS
    assert market_hours_of_job(job_spec()) == ALWAYS_OPEN


def test_a_job_whose_connections_are_not_limited_needs_no_slot() -> None:
    assert slot_lease_name_of_job(job_spec()) is None
    assert slot_lease_name_of_job(job_spec(provider="alpaca", dryRun=True)) is None
    gateway = job_spec(provider="ibkr", ibkr={"host": "gateway"})
    assert (slot_lease_name_of_job(gateway) or "").startswith("sluice-slot-")


def test_the_digest_is_that_of_the_stream_key_and_needs_the_key_and_the_cluster() -> None:
    key: StreamKey | None = None
    source = create_clients(settings(), {}).source
    clients = ProviderClients(source=source, read_stream_key=lambda: key)
    read = create_key_digest_reader(clients, "c1")
    assert read() is None
    key = StreamKey("PK1", "wss://stream.example/v2/iex")
    assert read() == key_digest("PK1", "wss://stream.example/v2/iex", "c1")
    assert create_key_digest_reader(clients, "")() is None
    assert create_key_digest_reader(ProviderClients(source=source), "c1")() is None
