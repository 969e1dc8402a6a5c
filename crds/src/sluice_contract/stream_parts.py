"""Parts of the status that the pod reports: its changes of state, its market hours, its writes and their budget."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .documents import MarketPhase
from .status_values import ENUM_TEXT_LENGTH, Count, Instant, Sentence, enum_text_schema


class StateChange(CamelStruct, frozen=True):
    """A change of the state of the stream."""

    at: Annotated[Instant, Meta(description="When the state changed.")]
    state: Annotated[str, Meta(max_length=ENUM_TEXT_LENGTH, description="The new state, one of those of stream.state.")]
    reason: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(description="The cause as one word: the type of a failure, or the switch of a pause."),
    ] = None
    message: Annotated[Annotated[str, Meta(max_length=160)] | None, Meta(description="The cause as a sentence.")] = None


class StreamMarket(CamelStruct, frozen=True):
    """The market of the job at the time of the heartbeat."""

    phase: Annotated[str, enum_text_schema(MarketPhase, "Whether the market of the job is open.")]
    changes_at: Annotated[
        Instant | None,
        Meta(description="When the market next opens or closes. Absent: it never does, or that is unknown."),
    ] = None


class SinkStatus(CamelStruct, frozen=True):
    """The state of the writes to Firestore."""

    healthy: Annotated[bool, Meta(description="Whether the last write succeeded.")]
    message: Annotated[Sentence | None, Meta(description="Why the last write failed, and what to do about it.")] = None
    last_write_at: Annotated[
        Instant | None, Meta(description="When the last quote write was acknowledged. Absent: no quote was written.")
    ] = None
    writes_last_minute: Annotated[
        Count | None, Meta(description="The number of quote documents written in the 60 s before the heartbeat.")
    ] = None


class WriteBudget(CamelStruct, frozen=True):
    """The budget of document writes of one day. The day is that of Firestore's quotas, in Los Angeles."""

    day: Annotated[str, Meta(max_length=10, description="The day in Los Angeles, such as 2026-11-28.")]
    used: Annotated[Count, Meta(description="The number of documents written on that day, by all pods of the job.")]
    limit: Annotated[
        Count, Meta(description="The budget of the day: the smaller one of limits.writesPerDay and of a policy.")
    ]
    resets_at: Annotated[Instant, Meta(description="When the next day begins.")]
    paced_interval_milliseconds: Annotated[
        Count | None,
        Meta(
            description="How often each symbol can be written so that the budget lasts for the day. Absent: the limits "
            "decide."
        ),
    ] = None
