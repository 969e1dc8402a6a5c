"""Logs acknowledged writes: a line for each heartbeat, and at most four lines a second for all other documents."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from sluice_contract.documents import HeartbeatDocument

from ..domain.write_summary import WriteKind, WriteSummary

_log = logging.getLogger(__name__)

# Together with the last line of a process, this makes at most five lines in any second.
_SECONDS_BETWEEN_LINES = 0.25


class WriteLog:
    """Logs and counts the documents that Firestore has acknowledged, and those that a dry run would have written.

    A commit that follows another one within 0.25 s has no line of its own: the next line includes its documents. With
    `one_line_per_document`, each document has a line.
    """

    def __init__(self, *, one_line_per_document: bool = False) -> None:
        self.one_line_per_document = one_line_per_document
        self.heartbeats = 0
        self.documents: Counter[WriteKind] = Counter()
        self.dry_run_documents: Counter[WriteKind] = Counter()
        self._commit_lines = _SummedLines("firestore_write", "wrote")
        self._dry_run_lines = _SummedLines("would_write", "would write")

    def record_commit(self, kind: WriteKind, symbols: Sequence[str | None], commits: int = 1) -> None:
        """Record acknowledged documents, in `commits` commits. A symbol is None for a document of the whole job."""
        self.documents[kind] += len(symbols)
        self._add(self._commit_lines, kind, symbols, commits)

    def record_dry_run(self, kind: WriteKind, symbols: Sequence[str]) -> None:
        """Record documents that would have been written in one commit if this were not a dry run."""
        self.dry_run_documents[kind] += len(symbols)
        self._add(self._dry_run_lines, kind, symbols, 1)

    def record_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Record an acknowledged heartbeat."""
        self.heartbeats += 1
        _log_heartbeat("heartbeat", "wrote", heartbeat)

    def record_dry_run_heartbeat(self, heartbeat: HeartbeatDocument) -> None:
        """Record a heartbeat that is not written, because this is a dry run without Firestore."""
        _log_heartbeat("would_write", "would write", heartbeat)

    def log_pending(self) -> None:
        """Log the documents that have not been in a line yet. Call this at the end of the process."""
        self._commit_lines.log_pending()
        self._dry_run_lines.log_pending()

    def _add(self, lines: _SummedLines, kind: WriteKind, symbols: Sequence[str | None], commits: int) -> None:
        if not symbols or not _log.isEnabledFor(logging.INFO):
            return
        if not self.one_line_per_document:
            lines.add(kind, symbols, commits)
            return
        for index, symbol in enumerate(symbols):
            single = WriteSummary()
            single.add(kind, 1, symbol, commits if index == 0 else 0)
            lines.log(single)


class _SummedLines:
    """Logs the first commit immediately, and the sum of the commits that follow within 0.25 s after that time."""

    def __init__(self, event_type: Literal["firestore_write", "would_write"], verb: str) -> None:
        self._event_type = event_type
        self._verb = verb
        self._pending = WriteSummary()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, kind: WriteKind, symbols: Sequence[str | None], commits: int) -> None:
        self._pending.add(kind, len(symbols), symbols[0], commits)
        if self._timer is None:
            self._log_pending_and_wait()

    def log_pending(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending.commits:
            self._take_and_log_pending()

    def log(self, summary: WriteSummary) -> None:
        fields = {"event_type": self._event_type, **summary.to_fields()}
        _log.info("%s %s", self._verb, summary.to_text(), extra=fields)

    def _log_pending_and_wait(self) -> None:
        """Log the pending documents, and those that follow 0.25 s later. Without any, the next ones do not wait."""
        self._timer = None
        if self._pending.commits:
            self._take_and_log_pending()
            self._timer = asyncio.get_running_loop().call_later(_SECONDS_BETWEEN_LINES, self._log_pending_and_wait)

    def _take_and_log_pending(self) -> None:
        pending, self._pending = self._pending, WriteSummary()
        self.log(pending)


def _log_heartbeat(event_type: Literal["heartbeat", "would_write"], verb: str, heartbeat: HeartbeatDocument) -> None:
    """Log a heartbeat. The fields have the names of the document."""
    confirmed, desired = heartbeat.symbols.get("confirmed", 0), heartbeat.symbols.get("desired", 0)
    fields = {
        "event_type": event_type,
        "status": heartbeat.status,
        "ingest_enabled": heartbeat.ingest_enabled,
        "ingest_enabled_source": heartbeat.ingest_enabled_source,
        "pause_reason": heartbeat.pause_reason,
        "dry_run": heartbeat.dry_run,
        "symbols": heartbeat.symbols,
        "freshness": heartbeat.freshness,
        "last_symbol": heartbeat.last_symbol,
        "last_quote_ts": heartbeat.last_quote_ts,
        "last_write_at": heartbeat.last_write_at,
        "market": heartbeat.market,
    }
    values = (verb, heartbeat.status, confirmed, desired)
    _log.info("%s heartbeat: %s, %d of %d symbols confirmed", *values, extra=fields)
