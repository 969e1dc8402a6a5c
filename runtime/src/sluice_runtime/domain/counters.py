"""Counters of the process, exported as metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from sluice_contract.status import FailureType, StreamGap

# `create_source` is a failure of type configuration. The others that are no types of failures are what could not be
# written, read or reported.
ErrorStage = Literal[
    FailureType,
    "create_source",
    "firestore_write",
    "heartbeat",
    "report",
    "ingest_state",
    "ingest_gaps",
    "ingest_gaps_dropped",
    "calendar",
    "snapshot",
    "pause_check",
]
SuppressionReason = Literal["dry_run", "unchanged", "drained", "document_conflict"]
RepairKind = Literal["trades", "bars", "open_symbols"]

ERROR_STAGES: tuple[ErrorStage, ...] = tuple(each for each in get_args(ErrorStage) if each != "configuration")

_Label = TypeVar("_Label", bound=str)


@dataclass(slots=True, kw_only=True)  # not a Struct, whose attributes are slower to set; these are set on every batch
class Counters:
    """The counts since the process started. Counts with labels are dicts from label to count."""

    starts: int = 0  # attempts to open a connection to the provider
    live_transitions: int = 0
    stops: dict[str, int] = field(default_factory=dict)
    errors: dict[ErrorStage, int] = field(default_factory=dict)
    suppressed: dict[SuppressionReason, int] = field(default_factory=dict)
    unknown_trade_conditions: dict[tuple[str, str], int] = field(default_factory=dict)  # by tape and code
    gap_repairs: dict[RepairKind, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)  # gaps of the stream that have ended, by cause
    gap_seconds: dict[str, float] = field(default_factory=dict)
    writes: int = 0
    paused_by_flag: int = 0

    def count_start(self) -> None:
        """Count an attempt to open a connection to the provider."""
        self.starts += 1

    def count_live_transition(self) -> None:
        """Count that the stream became live."""
        self.live_transitions += 1

    def count_writes(self, count: int) -> None:
        """Count quote documents that Firestore acknowledged."""
        self.writes += count

    def count_symbol_pauses(self, count: int) -> None:
        """Count symbols that were paused by `spec.pausedSymbols`."""
        self.paused_by_flag += count

    def count_gap(self, gap: StreamGap) -> None:
        """Count a gap of the stream that has ended, and the seconds that it lasted."""
        seconds = max(0.0, (gap.to - gap.from_).total_seconds())
        increment(self.gaps, gap.cause)
        self.gap_seconds[gap.cause] = self.gap_seconds.get(gap.cause, 0.0) + seconds


def increment(counts: dict[_Label, int], label: _Label, by: int = 1) -> None:
    """Add `by` to the count of `label`."""
    counts[label] = counts.get(label, 0) + by
