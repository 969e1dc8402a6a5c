"""The writes of one commit, as Firestore's wire messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.cloud.firestore_v1.field_path import render_field_path
from google.cloud.firestore_v1.types import CommitRequest

from .values import encode_fields

_CommitMessage = CommitRequest.pb()  # the protobuf class below Google's wrapper


class Writes:
    """Collects the writes of one commit: all of them take effect, or none does.

    `name` is always a document's full resource name.
    """

    def __init__(self, database: str) -> None:
        """`database` is projects/PROJECT/databases/DATABASE."""
        self._message = _CommitMessage(database=database)
        self.has_deletion = False

    def __len__(self) -> int:
        return len(self._message.writes)

    @property
    def document_count(self) -> int:
        """The number of documents that are written and not deleted."""
        return sum(not write.delete for write in self._message.writes)

    @property
    def request(self) -> CommitRequest:
        """The request that commits the collected writes."""
        request: CommitRequest = CommitRequest.wrap(self._message)
        return request

    def replace_document(self, name: str, fields: Mapping[str, Any]) -> None:
        """Replace the whole document, whatever it contains. Use it only where a late write does no harm."""
        write = self._message.writes.add()
        write.update.name = name
        encode_fields(write.update.fields, fields)

    def replace_unchanged_document(self, name: str, fields: Mapping[str, Any], update_time: Any | None) -> None:
        """Replace the whole document with `fields`; the commit fails if it has changed since `update_time`.

        `update_time` is the Timestamp message of a document that was read. None: the document must not exist.
        """
        self._add_update(name, fields, update_time)

    def merge_unchanged_document(self, name: str, fields: Mapping[str, Any], update_time: Any | None) -> None:
        """Set `fields`, and keep every other field, also inside maps.

        `update_time` is as in `replace_unchanged_document`.
        """
        write = self._add_update(name, fields, update_time)
        write.update_mask.field_paths.extend(render_field_path(names) for names in _leaf_name_tuples(fields))

    def update_unchanged_document(self, name: str, fields: Mapping[str, Any], update_time: Any) -> None:
        """Set the top-level `fields`, and keep every other field; the commit fails if the document has changed."""
        write = self._add_update(name, fields, update_time)
        write.update_mask.field_paths.extend(render_field_path([field]) for field in fields)

    def delete_unchanged_document(self, name: str, update_time: Any) -> None:
        """Delete the document; the commit fails if it has changed since `update_time`, a Timestamp message."""
        write = self._message.writes.add()
        write.delete = name
        self.has_deletion = True
        write.current_document.update_time.CopyFrom(update_time)

    def _add_update(self, name: str, fields: Mapping[str, Any], update_time: Any | None) -> Any:
        write = self._message.writes.add()
        write.update.name = name
        encode_fields(write.update.fields, fields)
        if update_time is None:
            write.current_document.exists = False
        else:
            write.current_document.update_time.CopyFrom(update_time)
        return write


def _leaf_name_tuples(fields: Mapping[str, Any], *parents: str) -> Iterator[tuple[str, ...]]:
    """Yield the field names on the path to each leaf: a value that is not a map, or an empty map."""
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from _leaf_name_tuples(value, *parents, name)
        else:
            yield (*parents, name)
