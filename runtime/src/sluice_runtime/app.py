"""Wiring: adapters into loops, and the order in which a pod begins and ends."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice_contract import identity
from sluice_contract.identity import InjectedJob
from sluice_contract.resource import IngestJob, ObjectMeta
from sluice_contract.spec import Synthetic

from .adapters.firestore import FirestoreSink, firestore_client
from .adapters.http_api import http_api
from .adapters.ingestjob import Api, IngestJobClient
from .adapters.synthetic import SyntheticSource
from .domain.backoff import Backoff
from .domain.coalescer import Coalescer
from .domain.desired import UNREAD, Desired, desired, halted
from .domain.failure import FencedError
from .domain.health import Identity
from .domain.market import Origin
from .loops.beat import beat, report, say_goodbye
from .loops.cell import Cell
from .loops.flush import Flusher
from .loops.journal import Journal
from .loops.racing import race, within
from .loops.steer import steer, watch
from .loops.supervise import Supervisor
from .ports import JobPort, Sink, Source
from .settings import Settings, SettingsError

_log = logging.getLogger(__name__)

# Google's client has a timeout of its own below this; the API server may be the one that is away.
_GOODBYE_SECONDS = 4.0


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    """One pod's life: until SIGTERM or SIGINT, until its job is gone, or until a later incarnation writes."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    journal = _journal(settings)
    async with AsyncExitStack() as stack:
        job = _job_client(settings)
        stack.push_async_callback(job.close)
        await stack.enter_async_context(http_api(journal, settings.bind, identity.HTTP_PORT))
        sink = _sink(settings)
        stack.push_async_callback(sink.close)
        reconnect = Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds, random.uniform)
        await ingest(Parts(source=_source(settings), sink=sink, job=job, journal=journal), stop, reconnect)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What one pod consists of."""

    source: Source
    sink: Sink
    job: JobPort
    journal: Journal


async def ingest(parts: Parts, stop: asyncio.Event, reconnect: Backoff) -> None:
    """All loops together, until `stop`; then the end in good order: socket, last quotes, last heartbeat."""
    journal = parts.journal
    who = journal.identity
    origin = Origin(source=parts.source.name, session_id=who.session_id, epoch=who.epoch)
    flusher = Flusher(parts.sink, journal, origin, Backoff(0.5, 30.0, random.uniform))
    supervisor = Supervisor(parts.source, flusher, journal, reconnect)
    live: Cell[IngestJob | None] = Cell(None)
    try:
        await race(
            stop.wait(),
            watch(parts.job, live, journal),
            steer(live, journal),
            supervisor.run(),
            flusher.run(),
            beat(parts.sink, journal),
            report(parts.job, journal),
        )
    except FencedError as fenced:
        _log.warning("%s: ending", fenced, extra={"event_type": "stream"})
        return
    await flusher.drain()
    if journal.state not in ("Paused", "Finished", "Blocked"):
        journal.entered("Stopped")  # the socket is closed: the last report must not say Live
    journal.stopping = True
    await within(_GOODBYE_SECONDS, say_goodbye(parts.sink, parts.job if live.value else None, journal))
    _log.info("ended in good order", extra={"event_type": "stream"})


def _journal(settings: Settings) -> Journal:
    injected = settings.job
    who = Identity(
        namespace=injected.namespace,
        name=injected.name,
        job_uid=injected.uid,
        pod_uid=settings.pod_uid,
        tenant=injected.spec.tenant,
        provider=injected.spec.provider,
        epoch=injected.epoch,
        session_id=uuid.uuid4().hex,
        started_at=now(),
    )
    return Journal(who, Cell(_aim_at_start(injected)), Coalescer(), now)


def _aim_at_start(injected: InjectedJob) -> Desired:
    # Generation 0: nothing has been applied. The injected spec may be older than a pause.
    metadata = ObjectMeta(name=injected.name, namespace=injected.namespace, uid=injected.uid)
    return halted(desired(IngestJob(metadata=metadata, spec=injected.spec), now()), UNREAD)


def _job_client(settings: Settings) -> IngestJobClient:
    injected = settings.job
    backoff = Backoff(0.5, 10.0, random.uniform)
    return IngestJobClient(Api(url=settings.api_url), injected.namespace, injected.name, injected.uid, backoff)


def _source(settings: Settings) -> Source:
    """The declared provider. Its packages are imported only here, when it is the one."""
    spec = settings.job.spec
    match spec.provider:
        case "replay":
            from .adapters.replay import ReplaySource  # noqa: PLC0415

            if spec.replay is None:
                raise SettingsError("spec.replay is missing: name the ConfigMap that holds the tape")
            tape = Path(identity.TAPE_DIR) / spec.replay.tape.config_map_ref.key
            return ReplaySource(tape, spec.replay.speed)
        case "alpaca" if spec.alpaca is not None and spec.alpaca.credentials_secret_ref is not None:
            from .adapters.alpaca import AlpacaSource  # noqa: PLC0415
            from .adapters.alpaca_mount import AlpacaMount  # noqa: PLC0415

            mount = AlpacaMount(spec.alpaca, settings.alpaca_credentials_dir, settings.alpaca_ca_file)
            return AlpacaSource(spec.alpaca, mount)
        case "alpaca":
            # The schema lets credentials be absent only in a dry run: nothing simulated is ever written.
            return SyntheticSource(Synthetic(), now, name="alpaca:simulated")
        case "synthetic":
            return SyntheticSource(spec.synthetic or Synthetic(), now)


def _sink(settings: Settings) -> FirestoreSink:
    spec = settings.job.spec
    try:
        client = firestore_client(spec.firestore, spec.firestore.project_id or settings.job.project_id)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return FirestoreSink(client, spec.tenant, spec.firestore.live_quotes_collection, spec.heartbeat.document)
