"""The words with which the condition, the log and the pod describe a pause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from .pause_status import PauseSource, StreamPause

_OTHERS_NAMED: Final = 3


def pause_clause(sources: Sequence[PauseSource], now: datetime | None = None) -> str:
    """Return the switches that pause a job, as the end of a sentence that begins with "Paused by".

    The first switch is described with who paused and why, at most three others with their ends only. `now` leaves out
    the date of an end on the same day in UTC; None keeps all dates.
    """
    first, *others = sources
    parts = [f"{first.source}{_author_and_reason(first)}{_end(first, now)}"]
    parts += [f"also by {each.source}{_end(each, now)}" for each in others[:_OTHERS_NAMED]]
    if len(others) > _OTHERS_NAMED:
        parts.append(f"and by {len(others) - _OTHERS_NAMED} more")
    return "; ".join(parts)


def sources_of_pause(pause: StreamPause) -> list[PauseSource]:
    """Return the switches of a pause in a status. A pod of an earlier version reports only the first one."""
    if pause.sources:
        return pause.sources
    return [PauseSource(source=pause.source, reason=pause.reason, by=pause.by, until=pause.until)]


def _author_and_reason(source: PauseSource) -> str:
    words = [source.by] if source.by else []
    if source.reason:
        words.append(f'"{source.reason}"')
    return f" ({': '.join(words)})" if words else ""


def _end(source: PauseSource, now: datetime | None) -> str:
    if source.until is None:
        return ", without an end"
    until = source.until
    if now is not None and until.date() == now.astimezone(UTC).date():
        return f" until {until:%H:%M:%SZ}"
    return f" until {until:%Y-%m-%dT%H:%M:%SZ}"
