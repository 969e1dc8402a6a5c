"""What has happened so far, in numbers."""

from __future__ import annotations

import msgspec


class Counters(msgspec.Struct, kw_only=True):
    """Counts since the process started, by the label of their metric."""

    starts: int = 0
    stops: dict[str, int] = {}
    errors: dict[str, int] = {}
    suppressed: dict[str, int] = {}
    frames: int = 0
    writes: int = 0
    paused_by_flag: int = 0


def count(book: dict[str, int], label: str, by: int = 1) -> None:
    """Adds to one label's count."""
    book[label] = book.get(label, 0) + by
