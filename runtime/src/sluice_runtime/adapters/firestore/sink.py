"""Firestore, through Google's async client. Retries are ours: a hidden one would write stale values late."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1 import base_client
from google.cloud.firestore_v1.base_query import FieldFilter
from google.oauth2 import service_account

from sluice_contract import documents
from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.spec import Firestore

from ...domain.batches import batches
from ...domain.failure import FencedError, SinkError
from ..decoding import decoded
from ..user_text import UserTextError, read_user_text
from .writes import replacement

# Shorter than the 3 s that a pause waits for what is in flight.
_SECONDS = 2.5
_PAUSED = FieldFilter("pause_fetch", "==", True)
_AT_ONCE = 20  # single updates in flight
_AT_MOST = 100  # symbols in one request
_CONTENTION_SECONDS = 0.1  # at most so long until another try at a document that others write too

# Trying these again soon cannot help: somebody has to change something.
_LASTING = (exceptions.PermissionDenied, exceptions.InvalidArgument, exceptions.NotFound, exceptions.Unauthenticated)
_LASTING_SECONDS = 30.0
# Somebody else wrote the document since it was read.
_OVERTAKEN = (exceptions.Aborted, exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)
# Google's client also raises errors of its credentials, of gRPC below it, and of values that it cannot decode.
_FAILURES = (exceptions.GoogleAPIError, GoogleAuthError, OSError, ValueError)

# Left alone, a channel that has lost its server waits for up to two minutes before it looks whether it is back: all
# documents would be stale for so much longer. Google's client takes no options, it only has these; ours go with them.
_RECONNECT = (("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 5000))
for _options in (base_client._DEFAULT_CHANNEL_OPTIONS, base_client._GRPC_MSG_SIZE_OPTIONS):
    _options.extend(_RECONNECT)


class FirestoreSink:
    """The documents of one job."""

    def __init__(
        self, client: firestore.AsyncClient, tenant: str, collection: str, heartbeat_document: str, job: str
    ) -> None:
        """`job` is namespace/name, as its documents say."""
        self._job = job
        self._client = client
        self._tenant = tenant
        self._collection = collection
        self._heartbeat = client.document(documents.heartbeat_path(tenant, heartbeat_document))

    async def write(self, quotes: Sequence[LiveQuote]) -> None:
        """One commit of whole documents."""
        batch = self._client.batch()
        # Not `set`, whose encoding was the most that this pod spent on a write.
        batch._add_write_pbs(
            [replacement(self._document(each.symbol)._document_path, each.fields()) for each in quotes]
        )
        await self._commit(batch)

    async def times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """One reading of each 100 documents. One whose `ts` is no time, as another writer may leave it, has none."""
        found = {}
        for some in batches(symbols, _AT_MOST):
            places = {self._document(name).path: name for name in some}
            for each in await self._read([self._document(name) for name in some], "ts"):
                ts = (each.to_dict() or {}).get("ts")
                if isinstance(ts, datetime):
                    found[places[each.reference.path]] = ts
        return found

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """One commit of whole documents."""
        batch = self._client.batch()
        for bar in bars:
            batch.set(self._bar(bar.symbol), bar.fields())
        await self._commit(batch)

    async def mark(self, symbols: Iterable[str], status: QuoteState) -> None:
        """One update a document: in a commit, one that does not exist would fail all."""
        async with _typed_failures():
            for some in batches(symbols, _AT_ONCE):
                updates = [self._mark_one(name, status) for name in some]
                # All have ended before the first failure is told: nothing goes on behind the caller's back.
                for failure in await asyncio.gather(*updates, return_exceptions=True):
                    if failure is not None:
                        raise failure

    async def delete(self, symbols: Iterable[str]) -> None:
        """One reading and one commit for each 100 symbols. What somebody has written in between fails the commit."""
        for some in batches(symbols, _AT_MOST):
            batch = self._client.batch()
            paths = [each for name in some for each in (self._document(name), self._bar(name))]
            for found in await self._read(paths, "job"):
                if found.exists and (found.to_dict() or {}).get("job") == self._job:
                    unchanged = self._client.write_option(last_update_time=found.update_time)
                    batch.delete(found.reference, option=unchanged)
            await self._commit(batch)

    async def record(self, states: Sequence[IngestState]) -> None:
        """One commit of merged documents, and a reading before where symbols were removed."""
        removed = [self._record(each.canonical_symbol) for each in states if each.status == "removed"]
        read = await self._read(removed, "job")
        owners = {found.reference.path: (found.to_dict() or {}).get("job") for found in read}
        batch = self._client.batch()
        for state in states:
            record = self._record(state.canonical_symbol)
            if owners.get(record.path) in (None, self._job):
                batch.set(record, state.fields(), merge=True)
        await self._commit(batch)

    async def own_records(self) -> frozenset[str]:
        """One query, of as many documents as the job has symbols."""
        return await self._recorded(FieldFilter("job", "==", self._job))

    async def paused_records(self) -> frozenset[str]:
        """One query, of as many documents as there are paused symbols."""
        return await self._recorded(_PAUSED)

    async def beat(self, heartbeat: HeartbeatDocument) -> None:
        """Reads, and replaces what was read: a later incarnation of the same job is never overwritten.

        Without a lock, so that jobs that share the document hold each other up no longer than another try takes.
        """
        others: set[str] = set()
        async with _typed_failures():
            try:
                async with asyncio.timeout(_SECONDS):
                    while not await self._replace(heartbeat, others):  # noqa: ASYNC110  the others are in other pods
                        await asyncio.sleep(random.uniform(0.01, _CONTENTION_SECONDS))
            except TimeoutError:
                if not others:
                    raise
                raise SinkError(
                    f"the heartbeat document is also written by {', '.join(sorted(others))}: give each job one of its "
                    f"own by spec.heartbeat.document"
                ) from None

    async def last_epoch(self, job_uid: str) -> int | None:
        """One reading."""
        async with _typed_failures():
            return _epoch((await self._said_before()).to_dict() or {}, job_uid)

    async def close(self) -> None:
        """AsyncClient has no close of its own."""
        await self._client._firestore_api.transport.close()

    async def _replace(self, heartbeat: HeartbeatDocument, others: set[str]) -> bool:
        """One try. False: somebody else wrote between the reading and the writing; `others` learns who."""
        found = await self._said_before()
        before = found.to_dict() or {}
        epoch = _epoch(before, heartbeat.job_uid)
        if epoch is not None and epoch > heartbeat.epoch:
            raise FencedError(f"epoch {epoch} of this job writes; this is epoch {heartbeat.epoch}")
        if before.get("job_uid") not in (None, heartbeat.job_uid):
            others.add(str(before.get("job")))
        as_read = {"last_update_time": found.update_time} if found.exists else {"exists": False}
        write = replacement(self._heartbeat._document_path, heartbeat.fields())
        self._client.write_option(**as_read).modify_write(write)
        batch = self._client.batch()
        batch._add_write_pbs([write])
        try:
            await batch.commit(retry=None, timeout=_SECONDS)
        except _OVERTAKEN:
            return False
        return True

    async def _said_before(self) -> Any:
        return await self._heartbeat.get(("job", "job_uid", "epoch"), retry=None, timeout=_SECONDS)

    async def _mark_one(self, symbol: str, status: QuoteState) -> None:
        with suppress(exceptions.NotFound):
            await self._document(symbol).update({"status": status}, retry=None, timeout=_SECONDS)

    async def _recorded(self, which: FieldFilter) -> frozenset[str]:
        """The symbols of these records. What another writer left here without one, or of another's, is no record."""
        query = self._client.collection(documents.ingest_state_collection(self._tenant)).where(filter=which)
        async with _typed_failures():
            found = await query.select(["canonical_symbol"]).get(retry=None, timeout=_SECONDS)
            names = {each.id: (each.to_dict() or {}).get("canonical_symbol") for each in found}
        return frozenset(name for place, name in names.items() if documents.is_at(name, place))

    async def _read(self, references: list[Any], *fields: str) -> list[Any]:
        """These fields of the documents, also of those that do not exist."""
        if not references:
            return []
        async with _typed_failures():
            found = self._client.get_all(references, fields, retry=None, timeout=_SECONDS)
            return [each async for each in found]

    def _bar(self, symbol: str) -> Any:
        return self._client.document(documents.live_bar_path(self._tenant, symbol))

    def _record(self, symbol: str) -> Any:
        return self._client.document(documents.ingest_state_path(self._tenant, symbol))

    def _document(self, symbol: str) -> Any:
        return self._client.document(documents.live_quote_path(self._tenant, self._collection, symbol))

    async def _commit(self, batch: Any) -> None:
        async with _typed_failures():
            await batch.commit(retry=None, timeout=_SECONDS)


async def firestore_client(settings: Firestore, project_id: str, key: Path | None) -> firestore.AsyncClient:
    """A client for the job's database, for the loop that runs. `key` is where a service account key may be.

    Raises:
        ValueError: that is no service account key, or there are no credentials at all.
    """
    make = partial(firestore.AsyncClient, project=project_id or None, database=settings.database)
    try:
        if (found := _service_account(key)) is not None:
            return make(credentials=found)
        # It looks for an identity of this machine, over the network if need be: the loop must not wait for that.
        return await asyncio.to_thread(make)
    except Exception as error:  # whatever may be in that file, or of this machine's identity
        raise ValueError(f"there are no usable credentials for Firestore ({_words(error)})") from error


def _epoch(said: Mapping[str, Any], job_uid: str) -> int | None:
    epoch = said.get("epoch")
    return epoch if said.get("job_uid") == job_uid and isinstance(epoch, int) else None


def _service_account(key: Path | None) -> service_account.Credentials | None:
    """Return the credentials of the key in the file `key`, else in that of GOOGLE_APPLICATION_CREDENTIALS; else None.

    None also where that variable names a pipe or another kind of credentials: Google's client reads those itself.

    Raises:
        Exception: the file cannot be read, or holds no key.
    """
    named = Path(os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", ""))
    is_named = (key is None or not key.exists()) and named.is_file() and "FIRESTORE_EMULATOR_HOST" not in os.environ
    file = named if is_named else key
    if file is None or not file.exists():
        return None
    try:
        fields = decoded(read_user_text(file).encode(), dict[str, Any])
    except UserTextError as error:
        raise ValueError(f"{file}: {error}") from None
    if is_named and fields.get("type") != "service_account":
        return None
    found: service_account.Credentials = service_account.Credentials.from_service_account_info(fields)  # type: ignore[no-untyped-call]
    return found.with_quota_project_from_environment() if is_named else found  # type: ignore[no-untyped-call]


@asynccontextmanager
async def _typed_failures() -> AsyncIterator[None]:
    try:
        yield
    except _LASTING as error:
        raise SinkError(f"Firestore refuses: {_words(error)}", _LASTING_SECONDS) from error
    except TimeoutError as error:
        raise SinkError(f"Firestore did not take a write within {_SECONDS} s") from error
    except _FAILURES as error:
        raise SinkError(f"Firestore did not take a write: {_words(error)}") from error


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
