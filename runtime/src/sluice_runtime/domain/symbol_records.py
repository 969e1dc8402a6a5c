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
    """The record of one symbol, and what was last written of it."""

    status: RecordStatus
    pause_fetch: bool
    notes: str | None = None  # None: keep the notes in the stored record
    is_unwritten: bool = True
    is_first: bool = False  # no transition: the symbol was declared and streams
    times: dict[str, datetime] = {}
    at: float = float("-inf")


class SymbolRecords:
    """The records of one job, `job` (namespace/name).

    From before this process started, `paused` are the symbols whose records had pause_fetch, and `own` the symbols
    whose records belonged to the job.
    """

    def __init__(self, job: str, paused: frozenset[str], own: frozenset[str]) -> None:
        self._job = job
        self._paused_before = paused
        self._own = own
        self._said: dict[str, _RecordState] = {}

    def update(self, desired: Desired, rejected: Iterable[str], deleted: Set[str], now: datetime) -> None:
        """Update the records from the declared symbols, those that the provider rejects, and those already deleted.

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
            self._change_status(symbol, status, desired.pause_reasons.get(symbol, ""), now)
        for symbol in ((self._said.keys() | self._own) & deleted) - desired.declared:
            self._change_status(symbol, "removed", "", now)

    @property
    def has_unwritten_changes(self) -> bool:
        """Return True if a record has a change that is not written yet."""
        return any(said.is_unwritten for said in self._said.values())

    def due_records(self, last: LastTimes, at: float, now: datetime, count: int) -> list[IngestState]:
        """Return up to `count` records to write: transitions, then first records, then those older than a minute."""
        new_symbols = [symbol for symbol, said in self._said.items() if said.is_unwritten]
        new_symbols.sort(key=lambda symbol: self._said[symbol].is_first)
        aged = [symbol for symbol, said in self._said.items() if self._is_due_for_refresh(symbol, said, last, at)]
        return [self._build_record(symbol, last(symbol), now) for symbol in [*new_symbols, *aged][:count]]

    def mark_written(self, states: Iterable[IngestState], at: float) -> None:
        """Record that these are in Firestore."""
        for state in states:
            said = self._said[state.canonical_symbol]
            if said.status == "removed" and state.status == "removed":
                del self._said[state.canonical_symbol]
                self._own -= {state.canonical_symbol}
            elif (said.status, said.notes) == (state.status, state.notes):
                said.is_unwritten, said.at, said.times = False, at, state.last_times

    def _change_status(self, symbol: str, status: RecordStatus, reason: str, now: datetime) -> None:
        before = self._said.get(symbol)
        if before is not None and before.status == status:
            return
        was_paused = before.pause_fetch if before is not None else symbol in self._paused_before
        self._paused_before -= {symbol}
        paused = status == "paused"
        if status == "removed":
            notes: str | None = f"Symbol REMOVED by user on {now:{_DATE}}"
        elif paused != was_paused:
            notes = _pause_note("PAUSED" if paused else "RESUMED", reason, now)
        elif self._is_added(symbol, status):
            notes = f"Symbol ADDED by user on {now:{_DATE}}"
        else:
            notes = before.notes if before is not None else None
        is_first = before is None and status == "active" and not was_paused
        self._said.pop(symbol, None)  # so that the symbol goes behind those that changed before it
        self._said[symbol] = _RecordState(status=status, pause_fetch=paused, notes=notes, is_first=is_first)

    def _is_added(self, symbol: str, status: RecordStatus) -> bool:
        """The symbol returns after its removal, or the job has it for the first time and not paused."""
        before = self._said.get(symbol)
        if before is None:
            return status != "paused" and symbol not in self._own
        return before.status == "removed"

    def _is_due_for_refresh(self, symbol: str, said: _RecordState, last: LastTimes, at: float) -> bool:
        return (
            not said.is_unwritten
            and at - said.at >= REFRESH_SECONDS
            and last(symbol).items() - said.times.items() != set()
        )

    def _build_record(self, symbol: str, times: dict[str, datetime], now: datetime) -> IngestState:
        said = self._said[symbol]
        return IngestState(
            canonical_symbol=symbol,
            job=None if said.status == "removed" else self._job,
            status=said.status,
            pause_fetch=said.pause_fetch,
            notes=said.notes,
            last_times=times,
            updated_at=now,
        )


def _pause_note(word: str, reason: str, now: datetime) -> str:
    why = f": {reason}" if reason else ""
    return f"Data fetching {word} by user on {now:{_DATE}}{why}"
