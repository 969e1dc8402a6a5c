"""The documents of one job in Firestore. No method retries: a hidden retry would write stale values late."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from google.api_core import exceptions
from google.cloud.firestore_v1.types import StructuredQuery, Value

from sluice_contract import documents
from sluice_contract.documents import HeartbeatDocument, IngestState, LiveBar, LiveQuote, QuoteState
from sluice_contract.gap_documents import IngestGap, ingest_gap_path

from ...domain.batches import batches
from ...domain.heartbeat_owner import StoredHeartbeat, require_takeover_allowed
from .conditional_writer import ConditionalWriter, DocumentChange
from .connection import DEADLINE_SECONDS, FirestoreConnection, StoredDocument
from .failures import raising_sink_errors
from .stored_heartbeat import HEARTBEAT_FIELDS, stored_heartbeat
from .writes import Writes

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
        self._writer = ConditionalWriter(connection)
        self._tenant = tenant
        self._collection = collection
        self._heartbeat = connection.resource_name(documents.heartbeat_path(tenant, heartbeat_document))

    async def write_quotes(self, quotes: Sequence[LiveQuote]) -> None:
        """Write whole quote documents in one commit."""
        await self._commit(
            {
                self._quote_document_name(each.symbol): DocumentChange("replace", each.document_fields())
                for each in quotes
            }
        )

    async def quote_document_times(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return the `ts` of each quote document that exists, with one request per 100 symbols.

        A document in which another writer has stored something other than a time as `ts` is left out.
        """
        times = {}
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._quote_document_name(symbol): symbol for symbol in some}
            with raising_sink_errors():
                found = await self._connection.read_documents(list(symbol_of), ("ts", "job"))
            self._writer.record_read(symbol_of, found)
            for each in found:
                ts = each.fields.get("ts")
                if isinstance(ts, datetime):
                    times[symbol_of[each.name]] = ts
        return times

    async def write_bars(self, bars: Sequence[LiveBar]) -> None:
        """Write whole bar documents in one commit."""
        await self._commit(
            {self._bar_document_name(bar.symbol): DocumentChange("replace", bar.document_fields()) for bar in bars}
        )

    async def set_status_of_existing_quotes(self, symbols: Iterable[str], status: QuoteState) -> frozenset[str]:
        """Set the status of the quote documents that exist, with one commit per 100 symbols."""
        missing: set[str] = set()
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._quote_document_name(symbol): symbol for symbol in some}
            skipped = await self._commit(dict.fromkeys(symbol_of, DocumentChange("update", {"status": status})))
            missing.update(symbol_of[name] for name in skipped)
        return frozenset(missing)

    async def delete_own_quotes_and_bars(self, symbols: Iterable[str]) -> None:
        """Delete the quote and bar documents of `symbols` that this job wrote. Each 100 symbols take two commits."""
        deletion = DocumentChange("delete", owners=(self._job,))
        for some in batches(symbols, _AT_MOST):
            for names in (map(self._quote_document_name, some), map(self._bar_document_name, some)):
                changes = dict.fromkeys(names, deletion)
                with raising_sink_errors():
                    self._connection.raise_if_withheld("deletes")  # before a read that would be useless
                self._writer.forget(changes)  # an abandoned write may have created a document since the last read
                await self._commit(changes)
                self._writer.forget(changes)  # the symbols may never return

    async def write_gaps(self, gaps: Sequence[IngestGap], *, replace: bool) -> None:
        """Write whole documents of gaps in one commit. If `replace` is False, existing ones are left out."""
        gap_of_name = {self._gap_document_name(gap.document_id): gap for gap in gaps}
        with raising_sink_errors():
            existing = [] if replace else await self._connection.read_documents(list(gap_of_name), ("job",))
            writes = self._new_writes()
            for name in gap_of_name.keys() - {found.name for found in existing}:
                writes.replace_document(name, gap_of_name[name].document_fields())
            await self._connection.commit(writes)

    async def merge_ingest_states(self, states: Sequence[IngestState]) -> None:
        """Merge all records in one commit. Records of removed symbols are read first, to skip those of other jobs."""
        changes = {}
        for state in states:
            name = self._ingest_state_document_name(state.canonical_symbol)
            owners = (None, self._job) if state.status == "removed" else None
            changes[name] = DocumentChange("merge", state.document_fields(), owners)
        removed = [name for name, change in changes.items() if change.owners]
        self._writer.forget(removed)
        await self._commit(changes)
        self._writer.forget(removed)  # the symbols may never return

    async def recorded_symbols_of_job(self) -> frozenset[str]:
        """Return the symbols of the job's records. One query reads as many documents as the job has symbols."""
        return await self._symbols_of_records("job", Value(string_value=self._job))

    async def recorded_pause_starts(self, symbols: Iterable[str]) -> Mapping[str, datetime]:
        """Return since when `symbols` are paused by this job's records, with one request per 100 symbols."""
        found = {}
        for some in batches(symbols, _AT_MOST):
            symbol_of = {self._ingest_state_document_name(symbol): symbol for symbol in some}
            with raising_sink_errors():
                records = await self._connection.read_documents(list(symbol_of), ("job", "pause_fetch", "paused_since"))
            for each in records:
                since, is_paused = each.fields.get("paused_since"), each.fields.get("pause_fetch")
                if each.fields.get("job") == self._job and is_paused is True and isinstance(since, datetime):
                    found[symbol_of[each.name]] = since
        return found

    async def symbols_recorded_as_paused(self) -> frozenset[str]:
        """Return the paused symbols of the tenant. One query reads as many documents as there are paused symbols."""
        return await self._symbols_of_records("pause_fetch", Value(boolean_value=True))

    async def write_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Read the heartbeat document, and replace it only if it has not changed since.

        This way, a later process of the job is never overwritten, nor a fresh heartbeat of another job. No lock is
        used, so that processes with the same document delay each other no longer than one retry.

        Raises:
            FencedError: the document is from a later process of the same job.
            DocumentConflictError: the document has a fresh heartbeat of another job.
        """
        if heartbeat.status == "stopped":
            self._connection.permit_next_attempt()  # there is no later heartbeat
        with raising_sink_errors(_path_in_tenant(self._heartbeat)):
            await self._replace_heartbeat(heartbeat)

    async def stored_heartbeat(self) -> StoredHeartbeat | None:
        """Read the heartbeat document; None if there is none."""
        with raising_sink_errors():
            found = await self._connection.read_documents([self._heartbeat], HEARTBEAT_FIELDS)
        return stored_heartbeat(found[0]) if found else None

    async def close(self) -> None:
        """Close the connection. Calls in flight are cancelled."""
        await self._connection.close()

    async def _replace_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Replace the heartbeat document. If another writer has changed it since the read, retry.

        Raises:
            TimeoutError, DeadlineExceeded: the write did not succeed in time.
            FencedError, DocumentConflictError: see `write_heartbeat`.
        """
        now = asyncio.get_running_loop().time
        # Each call gets a deadline; a call cancelled by an asyncio timeout would not count as a deadline error.
        deadline = now() + DEADLINE_SECONDS
        while (left := deadline - now()) > 0:
            found = await self._connection.read_documents([self._heartbeat], HEARTBEAT_FIELDS, left)
            before = found[0] if found else None
            if before is not None:
                require_takeover_allowed(stored_heartbeat(before), heartbeat)
            if await self._try_to_replace_heartbeat(before, heartbeat, max(0.0, deadline - now())):
                return
            await asyncio.sleep(random.uniform(0.01, _CONTENTION_SECONDS))
        raise TimeoutError

    async def _try_to_replace_heartbeat(
        self, before: StoredDocument | None, heartbeat: HeartbeatDocument, seconds: float
    ) -> bool:
        """Replace the heartbeat once. Return False if another writer has changed it since `before` was read."""
        writes = self._new_writes()
        as_read = before.update_time if before else None
        writes.replace_unchanged_document(self._heartbeat, heartbeat.document_fields(), as_read)
        try:
            await self._connection.commit(writes, seconds)
        except _OVERTAKEN:
            return False
        return True

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

    async def _commit(self, changes: Mapping[str, DocumentChange]) -> frozenset[str]:
        """Commit all changes or none. Return the names of the missing documents that were skipped."""
        name = next(iter(changes)) if len(changes) == 1 else None
        with raising_sink_errors(_path_in_tenant(name) if name else None):
            return await self._writer.commit(changes)


def _path_in_tenant(name: str) -> str:
    """Return the path of a document below its tenant, such as live_quotes/AAPL."""
    return "/".join(name.rsplit("/", 2)[-2:])


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
