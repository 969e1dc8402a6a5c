"""All documents of one job in Firestore, also those of symbols that it no longer declares, for their deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.cloud.firestore_v1.types import Cursor, StructuredQuery, Value

from sluice_contract import documents
from sluice_contract.gap_documents import ingest_gap_path

from ...domain.batches import batches
from .conditional_writer import CHANGED_SINCE_READ
from .connection import FirestoreConnection, StoredDocument
from .failures import raising_sink_errors
from .writes import Writes

DOCUMENTS_PER_PAGE: Final = 300
_DELETIONS_PER_COMMIT = 100
_ATTEMPTS = 3  # each after a new read of a document that another writer has changed
_ANY = "any"  # a name of a document, to build the path of its collection


class JobDocuments:
    """Finds and deletes the documents whose field `job` names one job. No request is retried after a failure."""

    def __init__(self, connection: FirestoreConnection, tenant: str, quotes_collection: str, job: str) -> None:
        """`job` is namespace/name, as in the documents."""
        self._connection = connection
        self._job = job
        paths = {
            "quotes": documents.live_quote_path(tenant, quotes_collection, _ANY),
            "bars": documents.live_bar_path(tenant, _ANY),
            "records": documents.ingest_state_path(tenant, _ANY),
            "gaps": ingest_gap_path(tenant, _ANY),
            "heartbeats": documents.heartbeat_path(tenant, _ANY),
        }
        self._collections = {kind: path.rpartition("/")[0] for kind, path in paths.items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of documents, such as `quotes`."""
        return tuple(self._collections)

    async def find(self, kind: str) -> list[StoredDocument]:
        """Return the job's documents of a kind. Firestore reads each document of the tenant's collection once.

        Raises:
            SinkError: Firestore does not answer, or refuses the request.
        """
        collection = self._connection.resource_name(self._collections[kind])
        parent, _, collection_id = collection.rpartition("/")
        found: list[StoredDocument] = []
        last = ""
        with raising_sink_errors():
            while True:
                page = await self._connection.query_documents(parent, _page_query(collection_id, last))
                found += [each for each in page if each.fields.get("job") == self._job]
                if len(page) < DOCUMENTS_PER_PAGE:
                    return found
                last = page[-1].name

    async def delete(self, found: Sequence[StoredDocument]) -> int:
        """Delete documents that `find` returned, unless another job has taken them over. Return how many were deleted.

        Raises:
            SinkError: Firestore does not answer, refuses the request, or other writers keep changing a document.
        """
        deleted = 0
        with raising_sink_errors():
            for some in batches(found, _DELETIONS_PER_COMMIT):
                deleted += await self._delete_batch(list(some))
        return deleted

    async def _delete_batch(self, some: list[StoredDocument]) -> int:
        for attempt in range(1, _ATTEMPTS + 1):
            writes = Writes(self._connection.database)
            for each in some:
                writes.delete_unchanged_document(each.name, each.update_time)
            try:
                await self._connection.commit(writes)
            except CHANGED_SINCE_READ:
                if attempt == _ATTEMPTS:
                    raise
                again = await self._connection.read_documents([each.name for each in some], ("job",))
                some = [each for each in again if each.fields.get("job") == self._job]
                continue
            break
        return len(some)


def _page_query(collection_id: str, last: str) -> StructuredQuery:
    """Return a query for the documents of a collection in the order of their names, after the name `last`."""
    reference = StructuredQuery.FieldReference
    query = StructuredQuery(
        select=StructuredQuery.Projection(fields=[reference(field_path="job")]),
        from_=[StructuredQuery.CollectionSelector(collection_id=collection_id)],
        order_by=[StructuredQuery.Order(field=reference(field_path="__name__"))],
        limit=DOCUMENTS_PER_PAGE,
    )
    if last:
        query.start_at = Cursor(values=[Value(reference_value=last)], before=False)
    return query
