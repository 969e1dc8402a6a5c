"""The part of the status of a job that describes its pause: each switch in force, and the confirmation."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .status_values import Instant, Sentence
from .values import Author

MAX_SOURCES = 16


class PauseSource(CamelStruct, frozen=True):
    """A switch that pauses the job."""

    source: Annotated[str, Meta(max_length=128, description="The switch.")]
    reason: Annotated[
        Annotated[str, Meta(max_length=256)] | None, Meta(description="The reason given with the pause.")
    ] = None
    by: Annotated[Author | None, Meta(description="Who paused. Absent: the switch does not say.")] = None
    until: Annotated[
        Instant | None, Meta(description="When this switch stops pausing by itself. Absent: it has no end.")
    ] = None


class StreamPause(CamelStruct, frozen=True):
    """The current pause. After the pod has acknowledged the pause, it writes no quote document."""

    source: Annotated[Sentence, Meta(description="The first switch of sources (column PAUSED-BY).")]
    acknowledged_at: Annotated[
        Instant | None,
        Meta(
            description="When the stream was closed and flushed. A further switch does not change it. Absent: not yet "
            "acknowledged."
        ),
    ] = None
    socket_closed_at: Annotated[
        Instant | None, Meta(description="When the connection to the provider was closed. Absent: it was never open.")
    ] = None
    last_write_at: Annotated[
        Instant | None, Meta(description="When the last quote write before the pause was acknowledged.")
    ] = None
    reason: Annotated[Sentence | None, Meta(description="The reason given with the first switch of sources.")] = None
    until: Annotated[
        Instant | None,
        Meta(description="The latest end of sources, when the pause can end by itself. Absent: a switch has no end."),
    ] = None
    by: Annotated[
        Author | None, Meta(description="Who paused with the first switch of sources. Absent: it does not say.")
    ] = None
    sources: Annotated[
        list[PauseSource],
        Meta(
            max_length=MAX_SOURCES,
            description="The switches that pause the job now, at most 16, in the order in which to ask their owners. "
            "Each of them ends by its own means alone.",
        ),
    ] = []  # noqa: RUF012  msgspec copies an empty default
