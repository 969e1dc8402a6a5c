"""The declared half of an IngestJob: every field that a user may write, with its bounds.

The CRD's OpenAPI schema, `kubectl explain` and docs/ingestjob.md are generated from these types, so a description
here is what a user reads there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from .alpaca import Alpaca
from .base import CamelStruct
from .ibkr import IBKR
from .pod import Pod
from .replay import Replay
from .values import (
    DocumentID,
    ProjectID,
    Reason,
    SecretReference,
    Symbol,
    SyntheticFault,
    Until,
)

Provider = Literal["alpaca", "ibkr", "synthetic", "replay"]
Channel = Literal["quotes", "trades", "bars"]


class Pause(CamelStruct, frozen=True):
    """A pause of the whole job, in force while it is present and `until` is not over."""

    reason: Reason = ""
    until: Until | None = None


class PausedSymbol(CamelStruct, frozen=True):
    """A pause of one symbol: it is unsubscribed, its record stays, the others are untouched."""

    symbol: Symbol
    reason: Reason = ""
    until: Until | None = None


class Synthetic(CamelStruct, frozen=True):
    """Deterministic quotes made in the pod: the same seed and symbol give the same prices."""

    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="The seed of the price paths.")] = 1
    quotes_per_second: Annotated[
        int, Meta(ge=1, le=100_000, description="Quotes a second, over all symbols together.")
    ] = 5
    faults: Annotated[
        list[SyntheticFault],
        Meta(max_length=50, description="What goes wrong and when: to see what becomes of it, without a provider."),
    ] = []  # noqa: RUF012


class Limits(CamelStruct, frozen=True):
    """How much is written to Firestore. What comes in faster is coalesced: the newest quote of a symbol wins."""

    min_interval_milliseconds: Annotated[
        int, Meta(ge=0, le=3_600_000, description="The least time between two writes of one symbol.")
    ] = 1000
    writes_per_second: Annotated[
        int, Meta(ge=1, le=500, description="Quote writes a second, over all symbols, in the long run.")
    ] = 20
    burst: Annotated[int, Meta(ge=1, le=1000, description="Quote writes that may go at once after a lull.")] = 40
    flush_interval_milliseconds: Annotated[
        int, Meta(ge=20, le=10_000, description="How often due quotes are written.")
    ] = 200


class Heartbeat(CamelStruct, frozen=True):
    """The sign of life that consumers read."""

    interval_seconds: Annotated[
        int, Meta(ge=1, le=30, description="How often the heartbeat document is written to Firestore.")
    ] = 15
    document: Annotated[
        DocumentID,
        Meta(
            description="The id of the heartbeat document below tenants/TENANT/ops. Each job of a tenant needs its own."
        ),
    ] = "market_ingest"


class Firestore(CamelStruct, frozen=True):
    """Where the quotes and the heartbeat go."""

    project_id: Annotated[
        ProjectID | None,
        Meta(
            description="The Google Cloud project. Absent: the operator's default.",
        ),
    ] = None
    database: Annotated[
        str,
        Meta(
            pattern=r"^(\(default\)|[a-z][-a-z0-9]{2,61}[a-z0-9])$",
            max_length=63,
            description="The database.",
        ),
    ] = "(default)"
    live_quotes_collection: Annotated[
        DocumentID, Meta(description="The collection of quote documents below tenants/TENANT.")
    ] = "live_quotes"
    credentials_secret_ref: Annotated[
        SecretReference | None,
        Meta(
            description="A Secret whose key credentials.json holds a service account key. Absent: the pod's own "
            "identity (Workload Identity), or the emulator."
        ),
    ] = None


class AutoStop(CamelStruct, frozen=True):
    """Guardrails: when one is reached, the job pauses itself by the switch autoStop."""

    after_seconds: (
        Annotated[
            int,
            Meta(ge=1, le=31_536_000, description="How long it may stream, from the start or the end of a pause."),
        ]
        | None
    ) = None
    after_consecutive_errors: (
        Annotated[
            int,
            Meta(ge=1, le=10_000, description="Failures of the stream in a row, none followed by a minute of health."),
        ]
        | None
    ) = None


class HTTP(CamelStruct, frozen=True):
    """The HTTP interface of the pod."""

    token_secret_ref: Annotated[
        SecretReference,
        Meta(description="The Secret whose key token is the bearer token of POST requests."),
    ]


class IngestJobSpec(CamelStruct, frozen=True):
    """What to stream, where to write it, and whether to."""

    tenant: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            max_length=63,
            description="Whose data this is: documents are written below tenants/TENANT. Immutable.",
        ),
    ]
    provider: Annotated[Provider, Meta(description="Where quotes come from; selects the block of the same name.")]
    symbols: Annotated[
        list[Symbol],
        Meta(
            min_length=1,
            max_length=2000,
            description="The symbols to stream. Changed on the running connection.",
        ),
    ]
    channels: Annotated[
        list[Channel],
        Meta(
            min_length=1,
            max_length=3,
            description="What to subscribe for each symbol. quotes is always among them; trades makes price the last "
            "trade's, where it else is the mid, and counts towards a plan's symbol limit once more; bars keeps the "
            "last one-minute bar in tenants/TENANT/live_bars/SYMBOL (provider ibkr has none).",
        ),
    ] = field(default_factory=lambda: ["quotes"])
    enabled: Annotated[
        bool,
        Meta(description="The switch. false closes the stream at once; heartbeats go on and say paused."),
    ] = True
    pause: Annotated[Pause | None, Meta(description="Pauses the job while present, with a reason and an end.")] = None
    paused_symbols: Annotated[
        list[PausedSymbol],
        Meta(max_length=200, description="Symbols to pause, each with a reason; the others go on."),
    ] = []  # noqa: RUF012  msgspec copies an empty list default
    dry_run: Annotated[
        bool, Meta(description='true: log "would write" and write no quote to Firestore. Heartbeats go on.')
    ] = False
    alpaca: Annotated[Alpaca | None, Meta(description="Settings of provider alpaca.")] = None
    ibkr: Annotated[IBKR | None, Meta(description="Settings of provider ibkr.")] = None
    synthetic: Annotated[Synthetic | None, Meta(description="Settings of provider synthetic.")] = None
    replay: Annotated[Replay | None, Meta(description="Settings of provider replay.")] = None
    limits: Annotated[Limits, Meta(description="How much is written to Firestore.")] = Limits()
    heartbeat: Annotated[Heartbeat, Meta(description="The sign of life that consumers read.")] = Heartbeat()
    firestore: Annotated[Firestore, Meta(description="Where quotes and heartbeat go.")] = Firestore()
    auto_stop: Annotated[
        AutoStop | None,
        Meta(
            description="Pauses the job by itself. The pause ends when the job's own switch has been off once, or when "
            "autoStop changes."
        ),
    ] = None
    http: Annotated[
        HTTP | None, Meta(description="Who may work the pod's own switch. Absent: its HTTP interface is read-only.")
    ] = None

    pod: Annotated[Pod | None, Meta(description="Where the pod runs, and with what.")] = None

    @property
    def alpaca_login(self) -> tuple[Alpaca, str] | None:
        """Alpaca's settings, and the Secret to log in with; None for others, and where a dry run simulates it."""
        if self.provider != "alpaca" or self.alpaca is None or self.alpaca.credentials_secret_ref is None:
            return None
        return self.alpaca, self.alpaca.credentials_secret_ref.name


# Applied inside the running pod, by their names in the document. Every other field is cold and needs a new pod.
HOT_FIELDS = frozenset(
    {
        "symbols",
        "channels",
        "enabled",
        "pause",
        "pausedSymbols",
        "dryRun",
        "limits",
        "heartbeat.intervalSeconds",
        "autoStop",
    }
)


def cold_part(spec: IngestJobSpec) -> IngestJobSpec:
    """Return the spec with each hot field at its default, and one symbol that means nothing (there must be one).

    Two specs that need the same pod have the same cold part.
    """
    return IngestJobSpec(
        tenant=spec.tenant,
        provider=spec.provider,
        symbols=["X"],
        alpaca=spec.alpaca,
        ibkr=spec.ibkr,
        synthetic=spec.synthetic,
        replay=spec.replay,
        heartbeat=Heartbeat(document=spec.heartbeat.document),
        firestore=spec.firestore,
        http=spec.http,
        pod=spec.pod,
    )
