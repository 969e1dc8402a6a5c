"""The documents of one job in Firestore. No method retries: a hidden retry would write stale values late."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore_v1.types import StructuredQuery, Value

from sluice_contract import documents
from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState

from ...domain.batches import batches
from ...domain.failure import FencedError, SinkError
from .connection import DEADLINE_SECONDS, FirestoreConnection, StoredDocument
from .failures import sink_errors
from .writes import Writes

_AT_ONCE = 20  # single updates in flight
_AT_MOST = 100  # symbols in one request
_CONTENTION_SECONDS = 0.1  # at most so long until another try at a document that others write too

# Somebody else wrote the document since it was read.
_OVERTAKEN = (exceptions.Aborted, exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)


class FirestoreSink:
    """The documents of one job."""

    def __init__(
        self, connection: FirestoreConnection, tenant: str, collection: str, heartbeat_document: str, job: str
    ) -> None:
        """`job` is namespace/name, as its documents say."""
        self._job = job
        self._connection = connection
        self._tenant = tenant
        self._collection = collection
        self._heartbeat = connection.resource_name(documents.heartbeat_path(tenant, heartbeat_document))

    async def write(self, quotes: Sequence[LiveQuote]) -> None:
        """One commit of whole documents."""
        writes = self._writes()
        for each in quotes:
            writes.replace_document(self._quote(each.symbol), each.fields())
        await self._commit(writes)

    async def times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """One reading of each 100 documents. One whose `ts` is no time, as another writer may leave it, has none."""
        found = {}
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._quote(symbol): symbol for symbol in some}
            for each in await self._read(list(symbol_of), "ts"):
                ts = each.fields.get("ts")
                if isinstance(ts, datetime):
                    found[symbol_of[each.name]] = ts
        return found

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """One commit of whole documents."""
        writes = self._writes()
        for bar in bars:
            writes.replace_document(self._bar(bar.symbol), bar.fields())
        await self._commit(writes)

    async def mark(self, symbols: Iterable[str], status: QuoteState) -> None:
        """One update a document: in a commit, one that does not exist would fail all."""
        with sink_errors():
            for some in batches(symbols, _AT_ONCE):
                updates = [self._mark_one(symbol, status) for symbol in some]
                # All have ended before the first failure is told: nothing goes on behind the caller's back.
                for failure in await asyncio.gather(*updates, return_exceptions=True):
                    if failure is not None:
                        raise failure

    async def delete(self, symbols: Iterable[str]) -> None:
        """One reading and one commit for each 100 symbols. What somebody has written in between fails the commit."""
        for some in batches(symbols, _AT_MOST):
            writes = self._writes()
            names = [name for symbol in some for name in (self._quote(symbol), self._bar(symbol))]
            for found in await self._read(names, "job"):
                if found.fields.get("job") == self._job:
                    writes.delete_unchanged_document(found.name, found.update_time)
            await self._commit(writes)

    async def record(self, states: Sequence[IngestState]) -> None:
        """One commit of merged documents, and a reading before where symbols were removed."""
        removed = [self._record(each.canonical_symbol) for each in states if each.status == "removed"]
        owners = {found.name: found.fields.get("job") for found in await self._read(removed, "job")}
        writes = self._writes()
        for state in states:
            record = self._record(state.canonical_symbol)
            if owners.get(record) in (None, self._job):
                writes.merge_document(record, state.fields())
        await self._commit(writes)

    async def own_records(self) -> frozenset[str]:
        """One query, of as many documents as the job has symbols."""
        return await self._recorded("job", Value(string_value=self._job))

    async def paused_records(self) -> frozenset[str]:
        """One query, of as many documents as there are paused symbols."""
        return await self._recorded("pause_fetch", Value(boolean_value=True))

    async def beat(self, heartbeat: HeartbeatDocument) -> None:
        """Reads, and replaces what was read: a later incarnation of the same job is never overwritten.

        Without a lock, so that jobs that share the document hold each other up no longer than another try takes.
        """
        others: set[str] = set()
        with sink_errors():
            try:
                await self._replace_heartbeat(heartbeat, others)
            except (TimeoutError, exceptions.DeadlineExceeded):
                if not others:
                    raise
                raise SinkError(
                    f"the heartbeat document is also written by {', '.join(sorted(others))}: give each job one of its "
                    f"own by spec.heartbeat.document"
                ) from None

    async def last_epoch(self, job_uid: str) -> int | None:
        """One reading."""
        with sink_errors():
            before = await self._read_heartbeat(DEADLINE_SECONDS)
        return _epoch(before.fields if before else {}, job_uid)

    async def close(self) -> None:
        """Closes the connection, and with it what is in flight."""
        await self._connection.close()

    async def _replace_heartbeat(self, heartbeat: HeartbeatDocument, others: set[str]) -> None:
        """Tries until nobody has written between the reading and the writing. `others` learns who did.

        Raises:
            TimeoutError, DeadlineExceeded: it could not be done in time.
            FencedError: a later incarnation of this job writes.
        """
        now = asyncio.get_running_loop().time
        # By the deadline of each call: if a timeout of our own cut it short, it would not count as unanswered.
        deadline = now() + DEADLINE_SECONDS
        while (left := deadline - now()) > 0:
            before = await self._read_heartbeat(left)
            if before is not None and before.fields.get("job_uid") not in (None, heartbeat.job_uid):
                others.add(str(before.fields.get("job")))
            if await self._try_to_replace(before, heartbeat, max(0.0, deadline - now())):
                return
            await asyncio.sleep(random.uniform(0.01, _CONTENTION_SECONDS))
        raise TimeoutError

    async def _try_to_replace(
        self, before: StoredDocument | None, heartbeat: HeartbeatDocument, seconds: float
    ) -> bool:
        """One try. False: somebody else has written since `before` was read."""
        epoch = _epoch(before.fields if before else {}, heartbeat.job_uid)
        if epoch is not None and epoch > heartbeat.epoch:
            raise FencedError(f"epoch {epoch} of this job writes; this is epoch {heartbeat.epoch}")
        writes = self._writes()
        as_read = before.update_time if before else None
        writes.replace_unchanged_document(self._heartbeat, heartbeat.fields(), as_read)
        try:
            await self._connection.commit(writes, seconds)
        except _OVERTAKEN:
            return False
        return True

    async def _read_heartbeat(self, seconds: float) -> StoredDocument | None:
        found = await self._connection.read_documents([self._heartbeat], ("job", "job_uid", "epoch"), seconds)
        return found[0] if found else None

    async def _mark_one(self, symbol: str, status: QuoteState) -> None:
        writes = self._writes()
        writes.update_existing_document(self._quote(symbol), {"status": status})
        with suppress(exceptions.NotFound):
            await self._connection.commit(writes)

    async def _recorded(self, field: str, value: Value) -> frozenset[str]:
        """The symbols of the records whose `field` is `value`.

        What another writer left here without a symbol, or with that of another document, is no record.
        """
        collection = self._connection.resource_name(documents.ingest_state_collection(self._tenant))
        parent, _, collection_id = collection.rpartition("/")
        with sink_errors():
            found = await self._connection.query_documents(parent, _query(collection_id, field, value))
        symbols = {each.name.rpartition("/")[2]: each.fields.get("canonical_symbol") for each in found}
        return frozenset(symbol for place, symbol in symbols.items() if documents.is_at(symbol, place))

    async def _read(self, names: Sequence[str], *fields: str) -> list[StoredDocument]:
        """These fields of those of the documents that exist."""
        with sink_errors():
            return await self._connection.read_documents(names, fields)

    def _writes(self) -> Writes:
        return Writes(self._connection.database)

    def _bar(self, symbol: str) -> str:
        return self._connection.resource_name(documents.live_bar_path(self._tenant, symbol))

    def _record(self, symbol: str) -> str:
        return self._connection.resource_name(documents.ingest_state_path(self._tenant, symbol))

    def _quote(self, symbol: str) -> str:
        return self._connection.resource_name(documents.live_quote_path(self._tenant, self._collection, symbol))

    async def _commit(self, writes: Writes) -> None:
        with sink_errors():
            await self._connection.commit(writes)


def _query(collection_id: str, field: str, value: Value) -> StructuredQuery:
    """The symbols of a collection's documents whose `field` is `value`."""
    reference = StructuredQuery.FieldReference
    return StructuredQuery(
        select=StructuredQuery.Projection(fields=[reference(field_path="canonical_symbol")]),
        from_=[StructuredQuery.CollectionSelector(collection_id=collection_id)],
        where=StructuredQuery.Filter(
            field_filter=StructuredQuery.FieldFilter(
                field=reference(field_path=field), op=StructuredQuery.FieldFilter.Operator.EQUAL, value=value
            )
        ),
    )


def _epoch(said: Mapping[str, Any], job_uid: str) -> int | None:
    epoch = said.get("epoch")
    return epoch if said.get("job_uid") == job_uid and isinstance(epoch, int) else None
