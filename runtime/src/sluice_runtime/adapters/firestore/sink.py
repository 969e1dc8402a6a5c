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
from sluice_contract.gap_documents import IngestGap, ingest_gap_path

from ...domain.batches import batches
from ...domain.failure import FencedError, SinkError
from .connection import DEADLINE_SECONDS, FirestoreConnection, StoredDocument
from .failures import raising_sink_errors
from .writes import Writes

_AT_ONCE = 20  # single updates in flight
_AT_MOST = 100  # symbols in one request
_CONTENTION_SECONDS = 0.1  # the maximum wait before a retry on a document with other writers

# Another writer has changed the document since it was read.
_OVERTAKEN = (exceptions.Aborted, exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)


class FirestoreSink:
    """Reads and writes the documents of one job."""

    def __init__(
        self, connection: FirestoreConnection, tenant: str, collection: str, heartbeat_document: str, job: str
    ) -> None:
        """`job` is namespace/name, as in the documents."""
        self._job = job
        self._connection = connection
        self._tenant = tenant
        self._collection = collection
        self._heartbeat = connection.resource_name(documents.heartbeat_path(tenant, heartbeat_document))

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        """Write whole quote documents in one commit."""
        writes = self._new_writes()
        for each in quotes:
            writes.replace_document(self._quote_document_name(each.symbol), each.document_fields())
        await self._commit(writes)

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return the `ts` of each quote document that exists, with one request per 100 symbols.

        A document in which another writer has stored something other than a time as `ts` is left out.
        """
        found = {}
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._quote_document_name(symbol): symbol for symbol in some}
            for each in await self._read_documents(list(symbol_of), "ts"):
                ts = each.fields.get("ts")
                if isinstance(ts, datetime):
                    found[symbol_of[each.name]] = ts
        return found

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """Write whole bar documents in one commit."""
        writes = self._new_writes()
        for bar in bars:
            writes.replace_document(self._bar_document_name(bar.symbol), bar.document_fields())
        await self._commit(writes)

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> None:
        """Set the status of the quote documents that exist, with one update per document.

        In one commit for all of them, a missing document would fail the whole commit.
        """
        with raising_sink_errors():
            for some in batches(symbols, _AT_ONCE):
                updates = [self._set_quote_status_if_exists(symbol, status) for symbol in some]
                # Wait for all updates before raising, so that none continues after the call.
                for failure in await asyncio.gather(*updates, return_exceptions=True):
                    if failure is not None:
                        raise failure

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        """Delete the quote and bar documents of `symbols` that this job wrote.

        Each 100 symbols take one read and one commit. If another writer changes one of the documents in between, the
        commit fails.
        """
        for some in batches(symbols, _AT_MOST):
            writes = self._new_writes()
            names = [
                name for symbol in some for name in (self._quote_document_name(symbol), self._bar_document_name(symbol))
            ]
            for found in await self._read_documents(names, "job"):
                if found.fields.get("job") == self._job:
                    writes.delete_unchanged_document(found.name, found.update_time)
            await self._commit(writes)

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        """Write whole documents of gaps in one commit. If `replace` is False, existing ones are left out."""
        gap_of_name = {self._gap_document_name(gap.document_id): gap for gap in gaps}
        existing = [] if replace else await self._read_documents(list(gap_of_name), "job")
        writes = self._new_writes()
        for name in gap_of_name.keys() - {found.name for found in existing}:
            writes.replace_document(name, gap_of_name[name].document_fields())
        await self._commit(writes)

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        """Merge all records in one commit. Records of removed symbols are read first, to skip those of other jobs."""
        removed = [
            self._ingest_state_document_name(each.canonical_symbol) for each in states if each.status == "removed"
        ]
        owners = {found.name: found.fields.get("job") for found in await self._read_documents(removed, "job")}
        writes = self._new_writes()
        for state in states:
            record = self._ingest_state_document_name(state.canonical_symbol)
            if owners.get(record) in (None, self._job):
                writes.merge_document(record, state.document_fields())
        await self._commit(writes)

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        """Return the symbols of the job's records. One query reads as many documents as the job has symbols."""
        return await self._symbols_of_records("job", Value(string_value=self._job))

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return since when `symbols` are paused by this job's records, with one request per 100 symbols."""
        found = {}
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._ingest_state_document_name(symbol): symbol for symbol in some}
            for each in await self._read_documents(list(symbol_of), "job", "pause_fetch", "paused_since"):
                since, is_paused = each.fields.get("paused_since"), each.fields.get("pause_fetch")
                if each.fields.get("job") == self._job and is_paused is True and isinstance(since, datetime):
                    found[symbol_of[each.name]] = since
        return found

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        """Return the paused symbols of the tenant. One query reads as many documents as there are paused symbols."""
        return await self._symbols_of_records("pause_fetch", Value(boolean_value=True))

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Read the heartbeat document, and replace it only if it has not changed since.

        This way, a later process of the job is never overwritten. No lock is used, so that jobs with the same document
        delay each other no longer than one retry.

        Raises:
            FencedError: the document is from a later process of the same job.
        """
        others: set[str] = set()
        with raising_sink_errors():
            try:
                await self._replace_heartbeat(heartbeat, others)
            except (TimeoutError, exceptions.DeadlineExceeded):
                if not others:
                    raise
                raise SinkError(
                    f"the heartbeat document is also written by {', '.join(sorted(others))}; give each job its own "
                    f"document in spec.heartbeat.document"
                ) from None

    async def last_heartbeat_epoch(self, job_uid: str) -> int | None:
        """Read the epoch from the heartbeat document; None if the document is missing or belongs to another job."""
        with raising_sink_errors():
            before = await self._read_heartbeat(DEADLINE_SECONDS)
        return _epoch_of_job(before.fields if before else {}, job_uid)

    async def close(self) -> None:
        """Close the connection. Calls in flight are cancelled."""
        await self._connection.close()

    async def _replace_heartbeat(self, heartbeat: HeartbeatDocument, others: set[str]) -> None:
        """Replace the heartbeat document. If another writer has changed it since the read, retry.

        The names of other jobs that have written the document are added to `others`.

        Raises:
            TimeoutError, DeadlineExceeded: the write did not succeed in time.
            FencedError: a later process of this job writes.
        """
        now = asyncio.get_running_loop().time
        # Each call gets a deadline; a call cancelled by an asyncio timeout would not count as a deadline error.
        deadline = now() + DEADLINE_SECONDS
        while (left := deadline - now()) > 0:
            before = await self._read_heartbeat(left)
            if before is not None and before.fields.get("job_uid") not in (None, heartbeat.job_uid):
                others.add(str(before.fields.get("job")))
            if await self._try_to_replace_heartbeat(before, heartbeat, max(0.0, deadline - now())):
                return
            await asyncio.sleep(random.uniform(0.01, _CONTENTION_SECONDS))
        raise TimeoutError

    async def _try_to_replace_heartbeat(
        self, before: StoredDocument | None, heartbeat: HeartbeatDocument, seconds: float
    ) -> bool:
        """Replace the heartbeat once. Return False if another writer has changed it since `before` was read."""
        epoch = _epoch_of_job(before.fields if before else {}, heartbeat.job_uid)
        if epoch is not None and epoch > heartbeat.epoch:
            raise FencedError(f"a later process of this job writes (epoch {epoch}; this is epoch {heartbeat.epoch})")
        writes = self._new_writes()
        as_read = before.update_time if before else None
        writes.replace_unchanged_document(self._heartbeat, heartbeat.document_fields(), as_read)
        try:
            await self._connection.commit(writes, seconds)
        except _OVERTAKEN:
            return False
        return True

    async def _read_heartbeat(self, seconds: float) -> StoredDocument | None:
        found = await self._connection.read_documents([self._heartbeat], ("job", "job_uid", "epoch"), seconds)
        return found[0] if found else None

    async def _set_quote_status_if_exists(self, symbol: str, status: QuoteState) -> None:
        writes = self._new_writes()
        writes.update_existing_document(self._quote_document_name(symbol), {"status": status})
        with suppress(exceptions.NotFound):
            await self._connection.commit(writes)

    async def _symbols_of_records(self, field: str, value: Value) -> frozenset[str]:
        """Return the symbols of all records whose `field` has the value `value`.

        Records of other writers without a symbol, or with another document's symbol, are ignored.
        """
        collection = self._connection.resource_name(documents.ingest_state_collection_path(self._tenant))
        parent, _, collection_id = collection.rpartition("/")
        with raising_sink_errors():
            found = await self._connection.query_documents(parent, _symbol_query(collection_id, field, value))
        symbols = {each.name.rpartition("/")[2]: each.fields.get("canonical_symbol") for each in found}
        return frozenset(symbol for place, symbol in symbols.items() if documents.has_document_id(symbol, place))

    async def _read_documents(self, names: Sequence[str], *fields: str) -> list[StoredDocument]:
        """Return the documents that exist, with only these fields."""
        with raising_sink_errors():
            return await self._connection.read_documents(names, fields)

    def _new_writes(self) -> Writes:
        return Writes(self._connection.database)

    def _bar_document_name(self, symbol: str) -> str:
        return self._connection.resource_name(documents.live_bar_path(self._tenant, symbol))

    def _gap_document_name(self, document_id: str) -> str:
        return self._connection.resource_name(ingest_gap_path(self._tenant, document_id))

    def _ingest_state_document_name(self, symbol: str) -> str:
        return self._connection.resource_name(documents.ingest_state_path(self._tenant, symbol))

    def _quote_document_name(self, symbol: str) -> str:
        return self._connection.resource_name(documents.live_quote_path(self._tenant, self._collection, symbol))

    async def _commit(self, writes: Writes) -> None:
        with raising_sink_errors():
            await self._connection.commit(writes)


def _symbol_query(collection_id: str, field: str, value: Value) -> StructuredQuery:
    """Return a query for the symbols of the documents whose `field` has the value `value`."""
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


def _epoch_of_job(fields: Mapping[str, Any], job_uid: str) -> int | None:
    epoch = fields.get("epoch")
    return epoch if fields.get("job_uid") == job_uid and isinstance(epoch, int) else None
