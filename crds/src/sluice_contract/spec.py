"""The spec of an IngestJob: every field that a user may write, with its bounds.

The CRD's OpenAPI schema, `kubectl explain` and docs/ingestjob.md are generated from these types, so users read the
descriptions there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from .alpaca import AlpacaSettings
from .base import CamelStruct
from .ibkr import IBKRSettings
from .limits import WriteLimits
from .pod import PodOptions
from .replay import ReplaySettings
from .values import DocumentID, ProjectID, Reason, SecretReference, Symbol, SyntheticFault, Until

Provider = Literal["alpaca", "ibkr", "synthetic", "replay"]
Channel = Literal["quotes", "trades", "bars"]
TradingSession = Literal["regular", "extended", "overnight"]


class Pause(CamelStruct, frozen=True):
    """A pause of the whole job. It applies until `until` has passed or the field is removed."""

    reason: Reason = ""
    until: Until | None = None


class PausedSymbol(CamelStruct, frozen=True):
    """A pause of one symbol. The symbol is unsubscribed, and its ingest_state record is kept."""

    symbol: Symbol
    reason: Reason = ""
    until: Until | None = None


class SyntheticSettings(CamelStruct, frozen=True):
    """Settings of provider synthetic, which generates quotes. The same seed and symbol give the same prices."""

    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="The seed of the generated prices. Default: 1.")] = 1
    quotes_per_second: Annotated[
        int,
        Meta(ge=1, le=100_000, description="The number of quotes per second, over all symbols together. Default: 5."),
    ] = 5
    faults: Annotated[
        list[SyntheticFault],
        Meta(
            max_length=50,
            description="Simulated faults, which show how a fault looks without a provider. Absent: no faults.",
        ),
    ] = []  # noqa: RUF012


class HeartbeatSettings(CamelStruct, frozen=True):
    """The heartbeat document that consumers read."""

    interval_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=30,
            description="The interval at which the heartbeat document is written to Firestore. Default: 15.",
        ),
    ] = 15
    document: Annotated[
        DocumentID,
        Meta(
            description="The ID of the heartbeat document below tenants/TENANT/ops. Default: market_ingest. Each "
            "job of a tenant needs its own document."
        ),
    ] = "market_ingest"


class FirestoreSettings(CamelStruct, frozen=True):
    """The Firestore database to which quotes and the heartbeat are written."""

    project_id: Annotated[
        ProjectID | None,
        Meta(
            description="The Google Cloud project. Absent: the operator's default project.",
        ),
    ] = None
    database: Annotated[
        str,
        Meta(
            pattern=r"^(\(default\)|[a-z][-a-z0-9]{2,61}[a-z0-9])$",
            max_length=63,
            description="The Firestore database. Default: (default).",
        ),
    ] = "(default)"
    live_quotes_collection: Annotated[
        DocumentID, Meta(description="The collection of quote documents below tenants/TENANT. Default: live_quotes.")
    ] = "live_quotes"
    credentials_secret_ref: Annotated[
        SecretReference | None,
        Meta(
            description="A Secret whose key credentials.json holds a service account key. Absent: the pod's own "
            "identity (Workload Identity), or the emulator."
        ),
    ] = None


class AutoStopLimits(CamelStruct, frozen=True):
    """Limits at which the pod pauses the job. `autoStop` is then the source of the pause."""

    after_seconds: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=31_536_000,
                description="How long the job may stream, from the start or the end of a pause. Absent: no limit.",
            ),
        ]
        | None
    ) = None
    after_consecutive_errors: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=10_000,
                description="The number of consecutive failures of the stream that pauses the job. A minute of "
                "healthy streaming resets the count. Absent: no limit.",
            ),
        ]
        | None
    ) = None


class HTTPSettings(CamelStruct, frozen=True):
    """Settings of the pod's HTTP interface."""

    token_secret_ref: Annotated[
        SecretReference,
        Meta(description="The Secret whose key token holds the bearer token for POST requests."),
    ]


class IngestJobSpec(CamelStruct, frozen=True):
    """The market data to stream, where to write it, and when to pause."""

    tenant: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            max_length=63,
            description="The tenant that owns the data. Documents are written below tenants/TENANT. Immutable.",
        ),
    ]
    provider: Annotated[
        Provider, Meta(description="The source of the quotes. Its settings are in the field of the same name.")
    ]
    symbols: Annotated[
        list[Symbol],
        Meta(
            min_length=1,
            max_length=2000,
            description="The symbols to stream. Changes are applied on the running connection. A merge patch (kubectl "
            "patch --type=merge) replaces the whole list; server-side apply adds and removes only the symbols of its "
            "own field manager.",
        ),
    ]
    channels: Annotated[
        list[Channel],
        Meta(
            min_length=1,
            max_length=3,
            description="The channels to subscribe to for each symbol. quotes is required. trades: price is then "
            "the last trade instead of the mid; each symbol counts twice against the plan's symbol "
            "limit. bars: the last one-minute bar is kept in tenants/TENANT/live_bars/SYMBOL (not "
            "available from provider ibkr).",
        ),
    ] = field(default_factory=lambda: ["quotes"])
    sessions: (
        Annotated[
            list[TradingSession],
            Meta(
                min_length=1,
                max_length=3,
                description="The sessions of the market in which silence is a fault. Quotes are streamed and "
                "written in every session. Absent: regular and extended; with feeds boats and overnight, overnight; "
                "simulated quotes and feed test never stop. No effect with feed crypto and provider replay.",
            ),
        ]
        | None
    ) = None
    enabled: Annotated[
        bool,
        Meta(
            description="The switch. Default: true. false closes the stream at once; heartbeats continue with "
            "status paused."
        ),
    ] = True
    pause: Annotated[
        Pause | None,
        Meta(description="Pauses the whole job while present, with an optional reason and end time. Absent: no pause."),
    ] = None
    paused_symbols: Annotated[
        list[PausedSymbol],
        Meta(
            max_length=200,
            description="Symbols to pause, each with an optional reason and end time. Other symbols are not affected. "
            "A merge patch (kubectl patch --type=merge) replaces the whole list, and so ends the pauses that it does "
            "not repeat. To pause one symbol, use server-side apply of its entry alone, with a field manager of its "
            "own: kubectl apply --server-side --field-manager=pause-SPY. To resume it, apply with that field manager "
            "and without the entry.",
        ),
    ] = []  # noqa: RUF012  msgspec copies an empty list default
    dry_run: Annotated[
        bool,
        Meta(
            description='true: log "would write" and write no quotes to Firestore; heartbeats are still written. '
            "Default: false."
        ),
    ] = False
    alpaca: Annotated[AlpacaSettings | None, Meta(description="Settings of provider alpaca.")] = None
    ibkr: Annotated[IBKRSettings | None, Meta(description="Settings of provider ibkr.")] = None
    synthetic: Annotated[SyntheticSettings | None, Meta(description="Settings of provider synthetic.")] = None
    replay: Annotated[ReplaySettings | None, Meta(description="Settings of provider replay.")] = None
    limits: Annotated[WriteLimits, Meta(description="Limits on writes to Firestore.")] = WriteLimits()
    heartbeat: Annotated[HeartbeatSettings, Meta(description="The heartbeat document that consumers read.")] = (
        HeartbeatSettings()
    )
    firestore: Annotated[
        FirestoreSettings, Meta(description="The Firestore database to which quotes and the heartbeat are written.")
    ] = FirestoreSettings()
    auto_stop: Annotated[
        AutoStopLimits | None,
        Meta(
            description="Limits at which the job pauses itself. To end that pause, set enabled to false and back "
            "to true, or change autoStop."
        ),
    ] = None
    http: Annotated[
        HTTPSettings | None,
        Meta(description="Access to the pod's own switch over HTTP. Absent: the HTTP interface is read-only."),
    ] = None

    pod: Annotated[PodOptions | None, Meta(description="Settings of the ingest pod, such as its resources.")] = None

    @property
    def alpaca_and_secret_name(self) -> tuple[AlpacaSettings, str] | None:
        """The settings of provider alpaca and the name of the Secret with the credentials.

        None for other providers, and for a dry run that simulates quotes without credentials.
        """
        if self.provider != "alpaca" or self.alpaca is None or self.alpaca.credentials_secret_ref is None:
            return None
        return self.alpaca, self.alpaca.credentials_secret_ref.name


# The running pod applies these fields, named as in the document. Every other field is cold and needs a new pod.
HOT_FIELDS = frozenset(
    {
        "symbols",
        "channels",
        "sessions",
        "enabled",
        "pause",
        "pausedSymbols",
        "dryRun",
        "limits",
        "heartbeat.intervalSeconds",
        "autoStop",
    }
)


def with_default_hot_fields(spec: IngestJobSpec) -> IngestJobSpec:
    """Return the spec with defaults in place of the fields that a running pod applies by itself (the hot fields).

    `symbols` is one placeholder, because it may not be empty. If two specs give the same result, the operator does not
    replace the pod when one changes into the other.
    """
    return IngestJobSpec(
        tenant=spec.tenant,
        provider=spec.provider,
        symbols=["X"],
        alpaca=spec.alpaca,
        ibkr=spec.ibkr,
        synthetic=spec.synthetic,
        replay=spec.replay,
        heartbeat=HeartbeatSettings(document=spec.heartbeat.document),
        firestore=spec.firestore,
        http=spec.http,
        pod=spec.pod,
    )
