"""Sums of writes to Firestore, for log lines that stand for several commits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

WriteKind = Literal["quotes", "statuses", "bars", "records", "gaps", "deletions"]


class WriteSummary:
    """The writes of one log line: documents by kind, commits, and the symbol of the first document."""

    def __init__(self) -> None:
        self.commits = 0
        self.first_symbol: str | None = None
        self._documents: dict[str, int] = {}  # by kind

    def add(self, kind: WriteKind, documents: int, first_symbol: str | None, commits: int = 1) -> None:
        """Add documents of one kind. `first_symbol` is None if the first one is about the whole job."""
        if self.commits == 0:
            self.first_symbol = first_symbol
        self.commits += commits
        self._documents[kind] = self._documents.get(kind, 0) + documents

    @property
    def document_count(self) -> int:
        """The number of documents of all kinds."""
        return sum(self._documents.values())

    def to_fields(self) -> dict[str, object]:
        """Return the fields of the log line: all documents, commits, the first symbol, and the documents by kind."""
        return {
            "count": self.document_count,
            "commits": self.commits,
            "symbol": self.first_symbol,
            **self._documents,
        }

    def to_text(self) -> str:
        """Return the documents as text, with the number of commits that have no line of their own."""
        count, left_out = self.document_count, max(0, self.commits - 1)
        noun = "document" if count == 1 else "documents"
        first = f", first {self.first_symbol}" if self.first_symbol else ""
        more = f"; {left_out} other {'commit has' if left_out == 1 else 'commits have'} no line" if left_out else ""
        return f"{count} {noun} ({_kinds_text(self._documents)}){first}{more}"


def _kinds_text(documents: Mapping[str, int]) -> str:
    return ", ".join(f"{kind}: {count}" for kind, count in documents.items())
