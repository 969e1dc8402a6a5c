"""Factories for the parts of a runtime, from its settings."""

from __future__ import annotations

import atexit
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sluice_contract import identity
from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.identity import InjectedJob
from sluice_contract.resource import IngestJob, ObjectMeta
from sluice_contract.spec import SyntheticSettings

from .adapters.firestore.connection import open_firestore_connection
from .adapters.firestore.reloading_sink import ReloadingSink
from .adapters.firestore.sink import FirestoreSink
from .adapters.synthetic import SyntheticSource
from .domain.coalescer import Coalescer
from .domain.declared_job import to_declared_job
from .domain.desired import UNREAD, Desired, desired_state, with_pause
from .domain.endpoints import RestEndpoints, rest_endpoints
from .domain.failure import UnusableVariableError
from .domain.health import RuntimeIdentity
from .domain.stream_activity import StreamActivity
from .history_ports import MarketHistory
from .loops.dry_run_sink import DryRunSink
from .loops.journal import Journal
from .loops.latest_value import LatestValue
from .loops.logged_sink import LoggedSink
from .loops.market_calendar import FetchTradingDays
from .loops.write_log import WriteLog
from .ports import MarketSnapshots, Source
from .settings import Settings, SettingsError

if TYPE_CHECKING:
    from .adapters.alpaca.credentials import CredentialsReader
    from .adapters.recording import TapeFile


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def create_journal(settings: Settings) -> Journal:
    """Return the journal of a new process, in which streaming is paused until the job has been read."""
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
    # Simulated quotes and those of IBKR get their timestamps here, and tapes theirs at another time.
    activity = StreamActivity(has_provider_timestamps=injected.spec.alpaca_and_secret_name is not None)
    return Journal(who, LatestValue(_desired_at_start(injected)), Coalescer(), utc_now, activity)


def _desired_at_start(injected: InjectedJob) -> Desired:
    # Generation 0: nothing has been applied. The injected spec has no hot field, so no symbol is declared yet.
    metadata = ObjectMeta(name=injected.name, namespace=injected.namespace, uid=injected.uid)
    job = to_declared_job(IngestJob(metadata=metadata, spec=injected.spec))
    desired = with_pause(desired_state(job, injected.spec, utc_now()), UNREAD)
    return msgspec.structs.replace(desired, declared=frozenset(), paused=frozenset(), unknown_paused=())


def create_credentials_reader(settings: Settings) -> CredentialsReader | None:
    """Return the reader of the job's mounted key pair; None if its provider needs none.

    The stream and the REST requests share it, so that they use the same pair during a rotation.
    """
    if settings.job.spec.alpaca_and_secret_name is None:
        return None
    alpaca, _ = settings.job.spec.alpaca_and_secret_name
    return _mounted_credentials_reader(alpaca, settings)


def _mounted_credentials_reader(alpaca: AlpacaSettings, settings: Settings) -> CredentialsReader:
    from .adapters.alpaca.credentials import CredentialsReader  # noqa: PLC0415

    return CredentialsReader(alpaca, settings.alpaca_credentials_dir, settings.alpaca_ca_file)


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


def create_source(
    settings: Settings, credentials_reader: CredentialsReader | None = None, tape: TapeFile | None = None
) -> Source:
    """Return the source of the declared provider. It also logs its quotes, if the settings request this.

    `credentials_reader` replaces the one that reads the pod's mounted Secret. Quotes are also recorded on `tape`.

    Raises:
        SettingsError: the provider's block is missing.
    """
    declared = _create_provider_source(settings, credentials_reader)
    if settings.log_quotes == "all":
        from .adapters.quote_log import QuoteLog  # noqa: PLC0415
        from .adapters.recording import QuoteRecordingSource  # noqa: PLC0415

        declared = QuoteRecordingSource(declared, QuoteLog())
    if tape is None:
        return declared
    from .adapters.recording import QuoteRecordingSource  # noqa: PLC0415

    return QuoteRecordingSource(declared, tape)


def _create_provider_source(settings: Settings, credentials_reader: CredentialsReader | None) -> Source:
    """Return the source of the declared provider. Only that provider's packages are imported."""
    spec = settings.job.spec
    match spec.provider:
        case "replay":
            from .adapters.replay import TAPE_BESIDE_DOCUMENT, TAPE_IN_VOLUME, ReplaySource  # noqa: PLC0415

            if spec.replay is None:
                raise SettingsError("spec.replay is missing; name the tape in spec.replay.tape")
            remedy = TAPE_BESIDE_DOCUMENT if settings.is_standalone else TAPE_IN_VOLUME
            return ReplaySource(settings.tape_dir / spec.replay.tape.relative_path, spec.replay.speed, remedy)
        case "alpaca" if spec.alpaca_and_secret_name is not None:
            from .adapters.alpaca.key_pair_check import KeyPairCheck  # noqa: PLC0415
            from .adapters.alpaca.source import AlpacaSource  # noqa: PLC0415

            alpaca, _ = spec.alpaca_and_secret_name
            reader = credentials_reader or _mounted_credentials_reader(alpaca, settings)
            endpoints = rest_endpoints(alpaca, settings.trading_url, settings.data_url)
            return AlpacaSource(alpaca, reader, check=KeyPairCheck.create_if_possible(alpaca, endpoints))
        case "alpaca":
            # The schema allows missing credentials only in a dry run, so simulated quotes are never written.
            return SyntheticSource(SyntheticSettings(), utc_now, name="alpaca:simulated")
        case "ibkr":
            from .adapters.ibkr.source import IBKRSource  # noqa: PLC0415

            if spec.ibkr is None:
                raise SettingsError("spec.ibkr is missing; name the host of an IB Gateway or TWS")
            return IBKRSource(spec.ibkr)
        case "synthetic":
            return SyntheticSource(spec.synthetic or SyntheticSettings(), utc_now)


def create_snapshot_client(settings: Settings, credentials_reader: CredentialsReader | None) -> MarketSnapshots | None:
    """Return the client that fetches market snapshots; None if the provider has none or its URL is unknown."""
    if (rest := _rest_access(settings, credentials_reader)) is None:
        return None
    from .adapters.alpaca.rest import DATA_HOST  # noqa: PLC0415
    from .adapters.alpaca.snapshots import AlpacaSnapshots  # noqa: PLC0415

    alpaca, where, reader = rest
    if not where.has_data_api or alpaca.feed == "test":
        return None
    return AlpacaSnapshots(alpaca, reader, where.data_url or DATA_HOST)


def create_history_client(settings: Settings, credentials_reader: CredentialsReader | None) -> MarketHistory | None:
    """Return the client that fetches past trades and bars; None if the provider has none or its URL is unknown."""
    if (rest := _rest_access(settings, credentials_reader)) is None:
        return None
    from .adapters.alpaca.history import AlpacaHistory  # noqa: PLC0415

    alpaca, where, reader = rest
    if not where.has_data_api or not AlpacaHistory.has_history(alpaca):
        return None
    return AlpacaHistory(alpaca, reader, where.data_url)


def create_calendar_client(settings: Settings, credentials_reader: CredentialsReader | None) -> FetchTradingDays | None:
    """Return the function that fetches trading days; None if the provider has no calendar or its URL is unknown."""
    if (rest := _rest_access(settings, credentials_reader)) is None:
        return None
    from .adapters.alpaca.calendar import AlpacaCalendar  # noqa: PLC0415

    alpaca, where, reader = rest
    if not where.has_trading_api or alpaca.feed == "crypto":
        return None
    return AlpacaCalendar(reader, where.trading_url).fetch_trading_days


def _rest_access(
    settings: Settings, credentials_reader: CredentialsReader | None
) -> tuple[AlpacaSettings, RestEndpoints, CredentialsReader] | None:
    """Return what a client of Alpaca's REST interfaces needs; None for other providers and simulated quotes."""
    if settings.job.spec.alpaca_and_secret_name is None:
        return None
    alpaca, _ = settings.job.spec.alpaca_and_secret_name
    where = rest_endpoints(alpaca, settings.trading_url, settings.data_url)
    return alpaca, where, credentials_reader or _mounted_credentials_reader(alpaca, settings)


_CREDENTIALS = (
    f"put a service account key under {identity.FIRESTORE_CREDENTIALS_KEY} in the Secret of "
    f"spec.firestore.credentialsSecretRef, or give the pod its own identity; waiting for either: Google's metadata "
    f"server is queried again within 30 s"
)


def create_write_log(settings: Settings) -> WriteLog:
    """Return the log of the writes of a new process, with one line for each document if the settings request this."""
    return WriteLog(one_line_per_document=settings.log_quotes == "all")


def create_sink(
    settings: Settings,
    desired: LatestValue[Desired],
    remedy: str = _CREDENTIALS,
    write_log: WriteLog | None = None,
) -> ReloadingSink:
    """Return the sink of the job's Firestore database, which records its writes in `write_log`.

    `remedy` says what to do if there are no credentials.
    """
    spec = settings.job.spec
    key = Path(identity.FIRESTORE_CREDENTIALS_DIR) / identity.FIRESTORE_CREDENTIALS_KEY
    mounted = key if spec.firestore.credentials_secret_ref is not None else None
    project = spec.firestore.project_id or settings.job.project_id
    me = f"{settings.job.namespace}/{settings.job.name}"
    log = write_log or create_write_log(settings)

    async def create_firestore_sink() -> LoggedSink:
        try:
            connection = await open_firestore_connection(spec.firestore, project, mounted)
        except UnusableVariableError:
            raise  # other credentials would not help
        except ValueError as error:
            raise ValueError(f"{error}; {remedy}") from error
        collection, heartbeat = spec.firestore.live_quotes_collection, spec.heartbeat.document
        return LoggedSink(FirestoreSink(connection, spec.tenant, collection, heartbeat, me), log)

    return ReloadingSink(create_firestore_sink, mounted, lambda: desired.value.dry_run, DryRunSink(log))
