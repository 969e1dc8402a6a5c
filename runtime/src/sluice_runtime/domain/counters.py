"""Counters of the process, exported as metrics."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)  # not a Struct, whose attributes are slower to set; these are set on every batch
class Counters:
    """The counts since the process started. Counts with labels are dicts from label to count."""

    starts: int = 0  # attempts to open a connection to the provider
    live_transitions: int = 0
    stops: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)
    unknown_trade_conditions: dict[tuple[str, str], int] = field(default_factory=dict)  # by tape and code
    gap_repairs: dict[str, int] = field(default_factory=dict)
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


def increment(counts: dict[str, int], label: str, by: int = 1) -> None:
    """Add `by` to the count of `label`."""
    counts[label] = counts.get(label, 0) + by
