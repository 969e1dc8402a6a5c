"""Factories for the parts of a runtime, from its settings."""

from __future__ import annotations

import atexit
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from sluice_contract.identity import InjectedJob
from sluice_contract.resource import IngestJob, ObjectMeta
from sluice_contract.spec import IngestJobSpec

from .aio.latest_value import LatestValue
from .domain.coalescer import Coalescer
from .domain.declared_job import to_declared_job
from .domain.desired import UNREAD, Desired, desired_state, with_pause
from .domain.health import RuntimeIdentity
from .domain.market_hours import MarketSchedule, regular_and_extended_hours_of_job
from .domain.slot import key_digest, slot_lease_name
from .domain.stream_activity import StreamActivity
from .loops.write_log import WriteLog
from .ports import Source
from .provider_ports import Preflight
from .providers.provider import ProviderClients
from .providers.registry import load_provider
from .settings import Settings, SettingsError
from .state.runtime_state import RuntimeState

if TYPE_CHECKING:
    from .adapters.recording import TapeFile


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def create_runtime_state(settings: Settings) -> RuntimeState:
    """Return the state of a new process, in which streaming is paused until the job has been read."""
    injected = settings.job
    who = RuntimeIdentity(
        namespace=injected.namespace,
        name=injected.name,
        job_uid=injected.uid,
        pod_uid=settings.pod_uid,
        tenant=injected.spec.tenant,
        provider=injected.spec.provider,
        epoch=injected.epoch,
        session_id=uuid.uuid4().hex,
        started_at=utc_now(),
        cluster=injected.cluster or None,
    )
    has_timestamps = load_provider(injected.spec.provider).has_provider_timestamps
    activity = StreamActivity(has_provider_timestamps=has_timestamps is not None and has_timestamps(injected.spec))
    return RuntimeState(who, LatestValue(_desired_at_start(injected)), Coalescer(), utc_now, activity)


def _desired_at_start(injected: InjectedJob) -> Desired:
    # Generation 0: nothing has been applied. The injected spec has no hot field, so no symbol is declared yet.
    metadata = ObjectMeta(name=injected.name, namespace=injected.namespace, uid=injected.uid)
    job = to_declared_job(IngestJob(metadata=metadata, spec=injected.spec))
    desired = with_pause(desired_state(job, injected.spec, utc_now(), market_hours=market_hours_of_job), UNREAD)
    return msgspec.structs.replace(desired, declared=frozenset(), paused=frozenset(), unknown_paused=())


def create_clients(settings: Settings, environment: Mapping[str, str]) -> ProviderClients:
    """Return the clients of the declared provider. Only that provider's packages are imported.

    `environment` has the credentials of a standalone runtime: a pod reads mounted Secrets.

    Raises:
        SettingsError: the provider's block is missing, or a variable that it reads is missing or malformed.
    """
    return load_provider(settings.job.spec.provider).create_clients(settings, environment)


def create_preflight(settings: Settings, environment: Mapping[str, str]) -> Preflight | None:
    """Return the preflight checks of the declared provider, as for `create_clients`; None if there is no account.

    Raises:
        SettingsError: a variable that the provider reads is missing or malformed.
    """
    create = load_provider(settings.job.spec.provider).create_preflight
    return None if create is None else create(settings, environment)


def market_hours_of_job(spec: IngestJobSpec) -> MarketSchedule:
    """Return the market hours of a job by its provider, or those of the New York exchanges if it has none of its own.

    It is the `MarketHoursOfJob` of all loops.
    """
    market_hours = load_provider(spec.provider).market_hours or regular_and_extended_hours_of_job
    return market_hours(spec)


def create_key_digest_reader(clients: ProviderClients, cluster: str) -> Callable[[], str | None]:
    """Return a function that returns the digest of the key in use.

    It returns None if the provider has no keys, while the Secret is incomplete, and if `cluster`, the UID of the
    cluster, is unknown.
    """
    read_stream_key = clients.read_stream_key

    def read_key_digest() -> str | None:
        key = read_stream_key() if read_stream_key is not None else None
        return key_digest(key.key_id, key.stream_url, cluster) if key is not None and cluster else None

    return read_key_digest


def slot_lease_name_of_job(spec: IngestJobSpec) -> str | None:
    """Return the name of the Lease for the job's connection slot; None if the job needs no slot."""
    connection_key = load_provider(spec.provider).connection_key
    key = connection_key(spec) if connection_key is not None else None
    return None if key is None else slot_lease_name(key)


def create_tape(settings: Settings) -> TapeFile | None:
    """Return the tape to record to; None if none is requested.

    Raises:
        SettingsError: the file cannot be written.
    """
    if settings.record_file is None:
        return None
    from .adapters.recording import TapeFile  # noqa: PLC0415

    try:
        tape = TapeFile(settings.record_file)
    except OSError as error:
        raise SettingsError(f"--record: {settings.record_file} cannot be written: {error.strerror}") from error
    atexit.register(tape.close)  # last of all: a compressed file is complete only when it is closed
    return tape


def with_quote_log_and_tape(source: Source, settings: Settings, tape: TapeFile | None = None) -> Source:
    """Return `source`, which also logs its quotes if the settings request this, and records them on `tape`."""
    if settings.log_quotes == "all":
        from .adapters.quote_log import QuoteLog  # noqa: PLC0415
        from .adapters.recording import QuoteRecordingSource  # noqa: PLC0415

        source = QuoteRecordingSource(source, QuoteLog())
    if tape is None:
        return source
    from .adapters.recording import QuoteRecordingSource  # noqa: PLC0415

    return QuoteRecordingSource(source, tape)


def create_write_log(settings: Settings) -> WriteLog:
    """Return the log of the writes of a new process, with one line for each document if the settings request this."""
    return WriteLog(one_line_per_document=settings.log_quotes == "all")
