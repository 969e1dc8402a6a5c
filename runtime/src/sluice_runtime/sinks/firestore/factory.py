"""Creates the sink of a job's Firestore database from the settings of the process."""

from __future__ import annotations

from pathlib import Path

from sluice_contract import identity

from ...aio.latest_value import LatestValue
from ...domain.desired import Desired
from ...domain.failure import UnusableVariableError
from ...domain.measurements import Measurements
from ...loops.write_log import WriteLog
from ...ports import WriteMeter
from ...settings import Settings
from ..dry_run_sink import DryRunSink
from ..logged_sink import LoggedSink
from .connection import FirestoreConnection, open_firestore_connection
from .reloading_sink import ReloadingSink
from .request_gate import RecordRequest, ignore_request
from .sink import FirestoreSink

# What to do if there are no credentials.
_REMEDY_IN_POD = (
    f"put a service account key under {identity.FIRESTORE_CREDENTIALS_KEY} in the Secret of "
    f"spec.firestore.credentialsSecretRef, or give the pod its own identity; waiting for either: Google's metadata "
    f"server is queried again within 30 s"
)
_REMEDY_STANDALONE = (
    "name the file of a service account key in GOOGLE_APPLICATION_CREDENTIALS or an emulator in "
    "FIRESTORE_EMULATOR_HOST, or try a dry run, which needs neither (DRY_RUN=true, spec.dryRun)"
)


def create_firestore_sink(
    settings: Settings,
    desired: LatestValue[Desired],
    write_log: WriteLog,
    meter: WriteMeter | None = None,
    measurements: Measurements | None = None,
) -> ReloadingSink:
    """Return the sink of the job's Firestore database.

    It logs its writes in `write_log`, counts their documents in `meter`, and records how long requests take in
    `measurements`.
    """
    spec = settings.job.spec
    me = f"{settings.job.namespace}/{settings.job.name}"

    record_request = (measurements or Measurements()).record_request

    async def open_sink() -> LoggedSink:
        connection = await open_job_connection(settings, meter, record_request)
        collection, heartbeat = spec.firestore.live_quotes_collection, spec.heartbeat.document
        return LoggedSink(FirestoreSink(connection, spec.tenant, collection, heartbeat, me), write_log)

    return ReloadingSink(open_sink, _mounted_key(settings), lambda: desired.value.dry_run, DryRunSink(write_log))


async def open_job_connection(
    settings: Settings, meter: WriteMeter | None = None, record_request: RecordRequest = ignore_request
) -> FirestoreConnection:
    """Return a connection to the database of the job, with the credentials that are mounted for it.

    Raises:
        ValueError: there are no usable credentials; the message says what to do.
        UnusableVariableError: the environment names a proxy or an emulator that cannot be used.
    """
    firestore = settings.job.spec.firestore
    project = firestore.project_id or settings.job.project_id
    try:
        return await open_firestore_connection(firestore, project, _mounted_key(settings), meter, record_request)
    except UnusableVariableError:
        raise  # other credentials would not help
    except ValueError as error:
        remedy = _REMEDY_STANDALONE if settings.is_standalone else _REMEDY_IN_POD
        raise ValueError(f"{error}; {remedy}") from error


def _mounted_key(settings: Settings) -> Path | None:
    """Return the path of the service account key that is mounted if the job names its Secret."""
    key = Path(identity.FIRESTORE_CREDENTIALS_DIR) / identity.FIRESTORE_CREDENTIALS_KEY
    return key if settings.job.spec.firestore.credentials_secret_ref is not None else None
