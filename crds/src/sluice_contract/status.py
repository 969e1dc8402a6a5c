"""The status of an IngestJob. The pod writes `stream`, the operator writes all other fields.

Enumerations are read as text: a status that another version has written must not prevent a pod from reading its spec,
or the operator from reading a report. The schema lists the values that this version writes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .job_policy import JobPolicy
from .pause_status import StreamPause
from .pod_replacement import PodReplacement
from .status_values import LARGEST, Count, Digest, Instant, Name, Sentence, enum_text_schema
from .stream_parts import SinkStatus, StateChange, StreamMarket, WriteBudget
from .symbol_counts import FreshnessCounts, SymbolCounts

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
    "documentConflict",
    "policyDenied",
]
GapCause = Literal["disconnect", "stall", "slowClient", "pause", "restart"]
ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(CamelStruct, frozen=True):
    """A condition of the object, in the form of metav1.Condition."""

    type: Annotated[str, Meta(description="The type of the condition.", max_length=316)]
    status: Annotated[str, enum_text_schema(ConditionStatus, "Whether the condition holds.")]
    reason: Annotated[str, Meta(description="The cause, as one word in CamelCase.", max_length=1024)]
    message: Annotated[str, Meta(description="The cause as a sentence, and what to do about it.", max_length=32768)]
    last_transition_time: Annotated[Instant, Meta(description="When the status of the condition last changed.")]
    observed_generation: Annotated[Count, Meta(description="The generation of the object that was evaluated.")]


class PodRestart(CamelStruct, frozen=True):
    """The operator's backoff before it replaces a pod that exited by itself, or that another client keeps deleting.

    It is part of the status so that it survives a restart of the operator.
    """

    count: Annotated[Count, Meta(description="The number of pods replaced in a row.")]
    next_at: Annotated[Instant, Meta(description="The earliest time at which the operator creates a new pod.")]


class StreamHeartbeat(CamelStruct, frozen=True):
    """The heartbeat of the pod. The pod writes it at each change of state, and otherwise at least every 30 s."""

    at: Annotated[Instant, Meta(description="When the pod wrote this, by the clock of its node (column LAST-REPORT).")]
    status: Annotated[str, enum_text_schema(HeartbeatState, "The state that the pod reports.")]
    dry_run: Annotated[bool, Meta(description="Whether quotes are logged instead of written.")]
    epoch: Annotated[Count, Meta(description="The epoch of the pod that wrote this.")]
    session_id: Annotated[Name, Meta(description="The ID of the process, also found in its quote documents.")]
    last_symbol: Annotated[
        Name | None, Meta(description="The symbol of the last quote received. Absent: no quote was received.")
    ] = None
    last_quote_at: Annotated[
        Instant | None, Meta(description="The event time of the last quote received. Absent: no quote was received.")
    ] = None
    last_quote_received_at: Annotated[
        Instant | None,
        Meta(
            description="When the newest quote was received, by the clock of the pod's node (column LAST-QUOTE). "
            "Absent: no quote was received."
        ),
    ] = None


class StreamGap(CamelStruct, frozen=True):
    """A period in which no data could be received. The data of that period is lost."""

    from_: Annotated[Instant, Meta(description="When the stream ended, or was last known to be alive.")]
    to: Annotated[Instant, Meta(description="When the stream was live again.")]
    cause: Annotated[str, enum_text_schema(GapCause, "The cause of the gap.")]


class OpenStreamGap(CamelStruct, frozen=True):
    """The gap that lasts. The next pod of the job reads it here, so that a gap survives a replacement of the pod."""

    since: Annotated[Instant, Meta(description="When the stream ended, or was last known to be alive.")]
    cause: Annotated[str, enum_text_schema(GapCause, "The cause of the gap.")]


class ConnectionSlotStatus(CamelStruct, frozen=True):
    """The state of this job's claim to a connection slot.

    A provider allows one connection for a key pair and feed, or for a client ID. Jobs of one namespace share its slot.
    """

    acquired: Annotated[bool, Meta(description="Whether this job holds the connection.")]
    holder: Annotated[Name, Meta(description="The job that holds the connection.")]
    key_digest: Annotated[
        Digest | None,
        Meta(
            description="A digest of the key and the stream's address, by which the operator finds jobs of several "
            "namespaces that use one key. It differs between clusters. Absent: this job does not hold the connection, "
            "or its provider has no keys.",
        ),
    ] = None


class StreamFailure(CamelStruct, frozen=True):
    """The reason why the stream is not live, or the impairment of a live stream. Absent if nothing is wrong."""

    type: Annotated[str, enum_text_schema(FailureType, "The type of the failure.")]
    message: Annotated[Sentence, Meta(description="What happened, and what to do about it.")]
    at: Annotated[Instant, Meta(description="When the failure happened.")]


class PreflightResult(CamelStruct, frozen=True):
    """The result of the preflight check of the provider's account.

    The check runs after the stream is live. Its result never stops the stream.
    """

    at: Annotated[Instant, Meta(description="When the check ended.")]
    passed: Annotated[bool, Meta(description="Whether the check found no problem.")]
    findings: Annotated[
        list[Sentence], Meta(description="The first 20 findings, with problems first.", max_length=20)
    ] = []  # noqa: RUF012


class StreamStatus(CamelStruct, frozen=True):
    """The status that the ingest pod reports. Only the pod writes it."""

    observed_generation: Annotated[Count, Meta(description="The generation of the job that the pod has applied.")]
    pod_uid: Annotated[
        Name,
        Meta(description="The UID of the reporting pod. The operator ignores any pod except the current one."),
    ]
    state: Annotated[str, enum_text_schema(StreamState, "The state of the connection to the provider.")]
    heartbeat: Annotated[StreamHeartbeat, Meta(description="The heartbeat of the pod.")]
    ingest_enabled: Annotated[bool, Meta(description="Whether no switch pauses the job.")]
    symbols: Annotated[SymbolCounts, Meta(description="The declared symbols, by what the provider has acknowledged.")]
    sink: Annotated[SinkStatus, Meta(description="The state of the writes to Firestore.")]
    effective_interval_milliseconds: Annotated[
        Count,
        Meta(description="How often each symbol can be written, with this number of symbols and these limits."),
    ]
    ingest_enabled_source: Annotated[
        Sentence | None,
        Meta(description="The first switch that pauses the job, as in pause.source. Absent: nothing pauses it."),
    ] = None
    feed: Annotated[
        Name | None,
        Meta(
            description="The source of the quotes: the provider, then a colon and its feed if it has several, or "
            "PROVIDER:simulated in a dry run without credentials."
        ),
    ] = None
    clock_skew_milliseconds: (
        Annotated[
            int,
            Meta(
                ge=-LARGEST,
                le=LARGEST,
                description="How far the clock of the pod's node is ahead of the provider's. Negative: it is behind.",
            ),
        ]
        | None
    ) = None
    credentials_generation: Annotated[
        Count | None,
        Meta(description="How many pairs of credentials the provider has accepted since the pod started."),
    ] = None
    credentials_problem: Annotated[
        Sentence | None,
        Meta(
            description="Why a new pair of credentials is not used, and what to do. The previous pair stays in use. "
            "Absent: the pair of the Secret is in use."
        ),
    ] = None
    freshness: Annotated[
        FreshnessCounts | None, Meta(description="The number of declared symbols in each freshness state.")
    ] = None
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
            description="The field of the spec that the pod does not understand, and why. The pod uses the last "
            "spec that it understood; a pod that has understood none streams nothing."
        ),
    ] = None
    gaps: Annotated[
        list[StreamGap], Meta(description="The last 10 gaps in the stream that have ended.", max_length=10)
    ] = []  # noqa: RUF012
    open_gap: Annotated[
        OpenStreamGap | None,
        Meta(description="The gap that lasts. Absent: the stream is live, or was never live."),
    ] = None
    slot: Annotated[
        ConnectionSlotStatus | None,
        Meta(description="The job that holds the connection. Absent: the pod has not requested the connection."),
    ] = None
    pause: Annotated[StreamPause | None, Meta(description="The pause in force. Absent: the job is not paused.")] = None
    failure: Annotated[
        StreamFailure | None,
        Meta(
            description="Why the stream is not live, or what is impaired while it is live. While the job is paused: "
            "the last failure that is not known to be over. Absent: nothing is wrong."
        ),
    ] = None
    preflight: Annotated[
        PreflightResult | None, Meta(description="The result of the preflight check of the provider's account.")
    ] = None
    writes: Annotated[
        WriteBudget | None, Meta(description="The write budget of the day. Absent: the job has no budget.")
    ] = None
    history: Annotated[
        list[StateChange], Meta(description="The last 10 changes of state, the newest first.", max_length=10)
    ] = []  # noqa: RUF012
    market: Annotated[
        StreamMarket | None, Meta(description="The hours of the market. Absent: freshness is not known yet.")
    ] = None
    pause_check_problem: Annotated[
        Sentence | None,
        Meta(
            description="Why the pod cannot read pause objects, so that it may not obey them. The job continues. "
            "Absent: it can read them, or they are not served."
        ),
    ] = None


class IngestJobStatus(CamelStruct, frozen=True):
    """The observed state of the job. It is absent until the operator has processed the job."""

    observed_generation: Annotated[
        Count | None, Meta(description="The generation of the job that the operator has processed.")
    ] = None
    phase: (
        Annotated[str, enum_text_schema(Phase, "A one-word summary for people. Programs read the conditions.")] | None
    ) = None
    conditions: Annotated[list[Condition], Meta(description="The conditions of the job.", max_length=16)] = []  # noqa: RUF012
    pod_name: Annotated[Name | None, Meta(description="The name of the job's pod.")] = None
    epoch: Annotated[
        Count | None,
        Meta(description="The epoch of the job's current pod, which carries it. It rises with each pod."),
    ] = None
    restart: Annotated[
        PodRestart | None,
        Meta(
            description="The backoff before the operator replaces a pod that exited by itself. Absent: there is "
            "no backoff."
        ),
    ] = None
    policy: Annotated[
        JobPolicy | None,
        Meta(description="The result of the policies that apply to the job. Absent: no policy applies to it."),
    ] = None
    replacement: Annotated[
        PodReplacement | None,
        Meta(description="The replacement of the pod that is in progress. Absent: there is none."),
    ] = None
    stream: Annotated[StreamStatus | None, Meta(description="The status that the ingest pod reports.")] = None


OPERATOR_FIELDS = frozenset(
    {"observed_generation", "phase", "conditions", "pod_name", "epoch", "restart", "policy", "replacement"}
)
RUNTIME_FIELDS = frozenset({"stream"})
