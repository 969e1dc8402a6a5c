"""The observed half of an IngestJob. Two writers: the operator writes all but `stream`, the pod writes `stream`.

Enumerations are text when they are read: a status that another version has written must not keep a pod from reading
its spec, nor the operator from reading a report. The schema lists the values that this version writes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from .base import CamelStruct
from .instants import INSTANT_SCHEMA

Phase = Literal["Pending", "Starting", "Running", "Pausing", "Paused", "Degraded", "Blocked", "Stopped", "Failed"]
StreamState = Literal[
    "Stopped",
    "Paused",
    "Connecting",
    "Authenticating",
    "Subscribing",
    "Live",
    "BackingOff",
    "Blocked",
    "Finished",
]
HeartbeatState = Literal["starting", "running", "paused", "degraded", "blocked", "finished", "stopped"]
FailureType = Literal[
    "auth",
    "entitlement",
    "connectionLimit",
    "symbolLimit",
    "slowClient",
    "network",
    "stall",
    "upstreamClosed",
    "configuration",
    "certificate",
]
GapCause = Literal["disconnect", "stall", "slowClient", "pause", "restart"]
ConditionStatus = Literal["True", "False", "Unknown"]

# Integers that every reader of JSON can hold.
LARGEST = 2**53 - 1

Instant = Annotated[datetime, Meta(tz=True, extra_json_schema=INSTANT_SCHEMA)]
Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Name = Annotated[str, Meta(max_length=253)]
Sentence = Annotated[str, Meta(max_length=1024)]


def one_of(values: Any, description: str) -> Meta:
    """The schema of a text that takes one of the values of a Literal, and is any text when it is read."""
    return Meta(description=description, max_length=63, extra_json_schema={"enum": list(get_args(values))})


class Condition(CamelStruct, frozen=True):
    """One fact about the job, in the form of metav1.Condition."""

    type: Annotated[str, Meta(description="The fact.", max_length=316)]
    status: Annotated[str, one_of(ConditionStatus, "Whether it holds.")]
    reason: Annotated[str, Meta(description="Why, in one CamelCase word.", max_length=1024)]
    message: Annotated[str, Meta(description="Why, in a sentence, and what to do about it.", max_length=32768)]
    last_transition_time: Annotated[Instant, Meta(description="When status last changed.")]
    observed_generation: Annotated[Count, Meta(description="The generation that this was judged from.")]


class Restart(CamelStruct, frozen=True):
    """The operator's back-off in replacing pods that end by themselves; kept here so that it survives a restart."""

    count: Annotated[Count, Meta(description="Pods replaced in a row.")]
    next_at: Annotated[Instant, Meta(description="No new pod before this time.")]


class StreamHeartbeat(CamelStruct, frozen=True):
    """The pod's sign of life: at once on a transition, else at most every 30 s."""

    at: Annotated[Instant, Meta(description="The pod's time of writing.")]
    status: Annotated[str, one_of(HeartbeatState, "What the pod says that it does.")]
    dry_run: Annotated[bool, Meta(description="Whether quotes are logged rather than written.")]
    epoch: Annotated[Count, Meta(description="The incarnation that wrote this.")]
    session_id: Annotated[Name, Meta(description="The process that wrote this; also on every quote document.")]
    last_symbol: Annotated[Name | None, Meta(description="The symbol of the last quote received.")] = None
    last_quote_at: Annotated[Instant | None, Meta(description="The event time of the last quote received.")] = None


class StreamPause(CamelStruct, frozen=True):
    """A pause in force. Acknowledged: from then on no quote document is written."""

    source: Annotated[Sentence, Meta(description="The switch that pauses.")]
    acknowledged_at: Annotated[Instant | None, Meta(description="When all was closed and flushed.")] = None
    socket_closed_at: Annotated[
        Instant | None, Meta(description="When the provider's socket closed. Absent: it was never open.")
    ] = None
    last_write_at: Annotated[Instant | None, Meta(description="The last quote write acknowledged before.")] = None
    reason: Annotated[Sentence | None, Meta(description="The reason given with the pause.")] = None
    until: Annotated[Instant | None, Meta(description="When the pause ends by itself.")] = None


class SymbolRejection(CamelStruct, frozen=True):
    """A symbol that the provider refuses."""

    symbol: Annotated[Name, Meta(description="The symbol.")]
    code: Annotated[int, Meta(ge=-LARGEST, le=LARGEST, description="The provider's error code.")]
    message: Annotated[Sentence, Meta(description="The provider's words.")]


class SymbolLedger(CamelStruct, frozen=True):
    """What the provider has acknowledged, against what is declared."""

    live: Annotated[Name, Meta(description="confirmed/desired, for the column LIVE.")]
    desired: Annotated[Count, Meta(description="Symbols that should stream now: declared and not paused.")]
    confirmed: Annotated[Count, Meta(description="Symbols that the provider acknowledged.")]
    pending: Annotated[Count, Meta(description="Symbols asked for and not yet acknowledged.")]
    paused: Annotated[Count, Meta(description="Declared symbols that are paused.")]
    rejected: Annotated[Count, Meta(description="Symbols that the provider refused.")]
    rejections: Annotated[list[SymbolRejection], Meta(description="The first 20 refused symbols.", max_length=20)] = []  # noqa: RUF012
    unknown_paused: Annotated[
        list[Name],
        Meta(description="The first 20 entries of pausedSymbols that are not in symbols.", max_length=20),
    ] = []  # noqa: RUF012


class SymbolFreshness(CamelStruct, frozen=True):
    """How fresh the declared symbols are, by number. Those without a confirmed subscription are in none of these."""

    live: Annotated[Count, Meta(description="Heard within the last 15 s, or three effective intervals.")]
    quiet: Annotated[Count, Meta(description="Not heard lately, and nothing wrong: illiquid, or of unknown hours.")]
    stale: Annotated[
        Count, Meta(description="Liquid, its market open, and silent for far longer than is normal for it.")
    ]
    closed: Annotated[Count, Meta(description="Not heard lately because its market is closed.")]
    halted: Annotated[Count, Meta(description="Trading is halted.")]
    paused: Annotated[Count, Meta(description="Paused, by pausedSymbols or with the whole job.")]


class StreamGap(CamelStruct, frozen=True):
    """A time in which nothing could be received. What was said meanwhile is gone."""

    from_: Annotated[Instant, Meta(description="When the stream ended, or was last known to be alive.")]
    to: Annotated[Instant, Meta(description="When it was live again.")]
    cause: Annotated[str, one_of(GapCause, "Why.")]


class ConnectionSlot(CamelStruct, frozen=True):
    """The one connection that the provider allows, within the namespace: for a key pair and feed, or a client id."""

    acquired: Annotated[bool, Meta(description="Whether this job has it.")]
    holder: Annotated[Name, Meta(description="The job that has it.")]


class StreamFailure(CamelStruct, frozen=True):
    """Why the stream is not live, or what it lacks while it is. Absent where nothing is wrong."""

    type: Annotated[str, one_of(FailureType, "What kind of failure.")]
    message: Annotated[Sentence, Meta(description="What happened, and what to do about it.")]
    at: Annotated[Instant, Meta(description="When it happened.")]


class Sink(CamelStruct, frozen=True):
    """How writing to Firestore goes."""

    healthy: Annotated[bool, Meta(description="Whether the last write succeeded.")]
    message: Annotated[Sentence | None, Meta(description="Why not, and what to do about it.")] = None
    last_write_at: Annotated[Instant | None, Meta(description="The last quote write acknowledged.")] = None


class Preflight(CamelStruct, frozen=True):
    """What a look at the provider's account found, once the stream was up. It never keeps a stream from going on."""

    at: Annotated[Instant, Meta(description="When it ended.")]
    passed: Annotated[bool, Meta(description="Whether everything was good.")]
    findings: Annotated[
        list[Sentence], Meta(description="The first 20 findings; what is not good comes first.", max_length=20)
    ] = []  # noqa: RUF012


class StreamStatus(CamelStruct, frozen=True):
    """What the ingest pod says of itself. Written by the pod alone."""

    observed_generation: Annotated[Count, Meta(description="The generation that the pod has applied.")]
    pod_uid: Annotated[Name, Meta(description="The pod that wrote this; the operator heeds only the current one.")]
    state: Annotated[str, one_of(StreamState, "The state of the provider's connection.")]
    heartbeat: Annotated[StreamHeartbeat, Meta(description="The pod's sign of life.")]
    ingest_enabled: Annotated[bool, Meta(description="Whether no switch pauses the job.")]
    ingest_enabled_source: Annotated[Sentence, Meta(description="The switch that decided.")]
    symbols: Annotated[SymbolLedger, Meta(description="What is subscribed.")]
    sink: Annotated[Sink, Meta(description="How writing to Firestore goes.")]
    effective_interval_milliseconds: Annotated[
        Count,
        Meta(description="How often one symbol can be written, with this many symbols under these limits."),
    ]
    freshness: Annotated[SymbolFreshness | None, Meta(description="How fresh the symbols are, by number.")] = None
    stops_generation: Annotated[
        Count | None,
        Meta(
            description="The newest generation whose enabled, pause and pausedSymbols the pod has applied. It is "
            "greater than observedGeneration while the pod does not understand another field."
        ),
    ] = None
    spec_problem: Annotated[
        Sentence | None,
        Meta(
            description="The field of the spec that the pod does not understand, and why. It goes by the last spec "
            "that it understood; a pod that has understood none streams nothing."
        ),
    ] = None
    gaps: Annotated[list[StreamGap], Meta(description="The last 10 gaps that are over.", max_length=10)] = []  # noqa: RUF012
    slot: Annotated[
        ConnectionSlot | None, Meta(description="Who has the connection. Absent where nobody has asked for it.")
    ] = None
    pause: Annotated[StreamPause | None, Meta(description="The pause in force, if any.")] = None
    failure: Annotated[StreamFailure | None, Meta(description="Why the stream is not live, or what it lacks.")] = None
    preflight: Annotated[Preflight | None, Meta(description="What a look at the provider's account found.")] = None


class IngestJobStatus(CamelStruct, frozen=True):
    """The truth at a glance. Until the operator has seen the job, there is none."""

    observed_generation: Annotated[Count | None, Meta(description="The generation that the operator has seen.")] = None
    phase: Annotated[str, one_of(Phase, "One word for people. Programs read the conditions.")] | None = None
    conditions: Annotated[
        list[Condition], Meta(description="What is known of the job, one fact an entry.", max_length=16)
    ] = []  # noqa: RUF012
    pod_name: Annotated[Name | None, Meta(description="The job's pod.")] = None
    epoch: Annotated[Count | None, Meta(description="The current incarnation: raised before each pod is created.")] = (
        None
    )
    restart: Annotated[
        Restart | None, Meta(description="Present while pods that ended by themselves are being replaced.")
    ] = None
    stream: Annotated[StreamStatus | None, Meta(description="What the ingest pod says of itself.")] = None


OPERATOR_FIELDS = frozenset({"observed_generation", "phase", "conditions", "pod_name", "epoch", "restart"})
RUNTIME_FIELDS = frozenset({"stream"})
