"""`sluice-runtime purge`: deletes the Firestore documents of a job, in a pod of `kubectl sluice purge`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from .domain.failure import SinkError
from .settings import Settings
from .sinks.firestore.factory import open_job_connection
from .sinks.firestore.job_documents import JobDocuments

Say = Callable[[str], None]


class PurgeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The number of documents by their kind: those that were found, and those that were deleted."""

    found: dict[str, int]
    deleted: dict[str, int]
    error: str = ""  # why it ended early; it says what to do


def run_purge(settings: Settings, *, is_dry_run: bool, result_file: Path | None, say: Say) -> int:
    """Count the documents of the job, and delete them unless it is a dry run. Return the exit code.

    The result is printed as one line of JSON, and written to `result_file`, if it is not None. The code is 1 if
    Firestore fails; documents that were deleted before stay deleted.
    """
    result = asyncio.run(_purge(settings, is_dry_run=is_dry_run))
    text = msgspec.json.encode(result).decode()
    say(text)
    if result_file is not None:
        result_file.write_text(text, "utf-8")
    return 1 if result.error else 0


async def _purge(settings: Settings, *, is_dry_run: bool) -> PurgeResult:
    job = settings.job
    found: dict[str, int] = {}
    deleted: dict[str, int] = {}
    try:
        connection = await open_job_connection(settings)
    except ValueError as error:
        return PurgeResult(found=found, deleted=deleted, error=str(error))
    collection = job.spec.firestore.live_quotes_collection
    documents = JobDocuments(connection, job.spec.tenant, collection, f"{job.namespace}/{job.name}")
    try:
        for kind in documents.kinds:
            stored = await documents.find(kind)
            found[kind] = len(stored)
            if not is_dry_run:
                deleted[kind] = await documents.delete(stored)
    except SinkError as error:
        message = f"{error.message}; repeat the command, which deletes the rest"
        return PurgeResult(found=found, deleted=deleted, error=message)
    finally:
        await connection.close()
    return PurgeResult(found=found, deleted=deleted)
