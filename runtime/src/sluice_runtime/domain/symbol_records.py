"""The ingest_state records: the content for each symbol, and which of them are due to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from datetime import datetime

import msgspec

from sluice_contract.documents import IngestState, RecordStatus

from .desired import Desired

# Records are for people and audits: they do not follow every quote.
REFRESH_SECONDS = 60.0

_DATE = "%Y-%m-%d %H:%M:%S UTC"  # the runtime's clock is in UTC

LastTimes = Callable[[str], dict[str, datetime]]  # returns the last event time of each channel of a symbol


class _RecordState(msgspec.Struct):
    """The state of one symbol's record.

    `times` are the event times in the record that was last written; `at` is the monotonic time of that write.
    """

    status: RecordStatus
    pause_fetch: bool
    notes: str | None = None  # None: keep the notes in the stored record
    is_unwritten: bool = True
    is_first: bool = False  # no transition: the symbol was declared and streams
    times: dict[str, datetime] = {}
    at: float = float("-inf")


class IngestStateRecords:
    """Computes the ingest_state records of one job, and which of them must be written.

    `job` is namespace/name. `paused` are the symbols whose stored records had pause_fetch when this process started,
    and `own` the symbols whose stored records belonged to the job.
    """

    def __init__(self, job: str, paused: frozenset[str], own: frozenset[str]) -> None:
        self._job = job
        self._paused_before = paused
        self._own = own
        self._records: dict[str, _RecordState] = {}

    def update_from_desired(self, desired: Desired, rejected: Iterable[str], deleted: Set[str], now: datetime) -> None:
        """Update the records from the desired state.

        `rejected` are the symbols that the provider rejects, `deleted` the removed symbols whose documents are deleted.

        The record of a removed symbol stays unchanged until its documents are deleted, so that another process of the
        job can find them.
        """
        refused = frozenset(rejected)
        for symbol in desired.declared:
            status: RecordStatus = "active"
            if symbol in desired.paused:
                status = "paused"
            elif symbol in refused:
                status = "rejected"
            self._change_status_if_different(symbol, status, _pause_description(desired, symbol), now)
        for symbol in ((self._records.keys() | self._own) & deleted) - desired.declared:
            self._change_status_if_different(symbol, "removed", "", now)

    @property
    def has_unwritten_changes(self) -> bool:
        """Return True if a record has a change that is not written yet."""
        return any(record.is_unwritten for record in self._records.values())

    def mark_all_unwritten(self) -> None:
        """Make all records due, because some may have been deleted or changed."""
        for record in self._records.values():
            record.is_unwritten = True

    def due_records(
        self,
        last_times: LastTimes,
        at: float,
        now: datetime,
        count: int,
        is_blocked: Callable[[str], bool] = lambda _: False,
    ) -> list[IngestState]:
        """Return up to `count` records to write, except those of symbols for which `is_blocked` returns True.

        Changed records come first, then first records, then records with new times that were last written at least a
        minute ago.
        """
        new_symbols = [symbol for symbol, record in self._records.items() if record.is_unwritten]
        new_symbols.sort(key=lambda symbol: self._records[symbol].is_first)
        aged = [
            symbol
            for symbol, record in self._records.items()
            if self._is_due_for_refresh(symbol, record, last_times, at)
        ]
        due = [symbol for symbol in (*new_symbols, *aged) if not is_blocked(symbol)]
        return [self._build_record(symbol, last_times(symbol), now) for symbol in due[:count]]

    def mark_written(self, states: Iterable[IngestState], at: float) -> None:
        """Record that Firestore acknowledged the write of these records."""
        for state in states:
            record = self._records[state.canonical_symbol]
            if record.status == "removed" and state.status == "removed":
                del self._records[state.canonical_symbol]
                self._own -= {state.canonical_symbol}
            elif (record.status, record.notes) == (state.status, state.notes):
                record.is_unwritten, record.at, record.times = False, at, state.last_times

    def _change_status_if_different(self, symbol: str, status: RecordStatus, reason: str, now: datetime) -> None:
        before = self._records.get(symbol)
        if before is not None and before.status == status:
            return
        was_paused = before.pause_fetch if before is not None else symbol in self._paused_before
        self._paused_before -= {symbol}
        paused = status == "paused"
        if status == "removed":
            notes: str | None = f"Symbol REMOVED by user on {now:{_DATE}}"
        elif paused != was_paused:
            notes = _pause_note("PAUSED" if paused else "RESUMED", reason, now)
        elif self._is_new_or_returning(symbol, status):
            notes = f"Symbol ADDED by user on {now:{_DATE}}"
        else:
            notes = before.notes if before is not None else None
        is_first = before is None and status == "active" and not was_paused
        self._records.pop(symbol, None)  # so that the symbol goes behind those that changed before it
        self._records[symbol] = _RecordState(status=status, pause_fetch=paused, notes=notes, is_first=is_first)

    def _is_new_or_returning(self, symbol: str, status: RecordStatus) -> bool:
        """Return True if the symbol returns after its removal, or is new to the job and not paused."""
        before = self._records.get(symbol)
        if before is None:
            return status != "paused" and symbol not in self._own
        return before.status == "removed"

    def _is_due_for_refresh(self, symbol: str, record: _RecordState, last_times: LastTimes, at: float) -> bool:
        return (
            not record.is_unwritten
            and at - record.at >= REFRESH_SECONDS
            and last_times(symbol).items() - record.times.items() != set()
        )

    def _build_record(self, symbol: str, times: dict[str, datetime], now: datetime) -> IngestState:
        record = self._records[symbol]
        return IngestState(
            canonical_symbol=symbol,
            job=None if record.status == "removed" else self._job,
            status=record.status,
            pause_fetch=record.pause_fetch,
            notes=record.notes,
            last_times=times,
            updated_at=now,
        )


def _pause_description(desired: Desired, symbol: str) -> str:
    pause = desired.symbol_pauses.get(symbol)
    return pause.description if pause is not None else ""


def _pause_note(word: str, reason: str, now: datetime) -> str:
    why = f": {reason}" if reason else ""
    return f"Data fetching {word} by user on {now:{_DATE}}{why}"
