"""The spec of an IngestJob: every field that a user may write, with its bounds.

The CRD's OpenAPI schema, `kubectl explain` and docs/ingestjob.md are generated from these types, so users read the
descriptions there.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, field

from .alpaca import AlpacaSettings
from .base import CamelStruct
from .hot_fields import HOT, with_hot_fields_of
from .http_settings import HTTPSettings
from .ibkr import IBKRSettings
from .limits import WriteLimits
from .pod import PodOptions
from .provider_block import ProviderBlock, SecretMount
from .replay import ReplaySettings
from .synthetic import SyntheticSettings
from .values import DocumentID, ProjectID, Reason, SecretReference, Symbol, Until

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


class HeartbeatSettings(CamelStruct, frozen=True):
    """The heartbeat document that consumers read."""

    interval_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=30,
            description="The interval at which the heartbeat document is written to Firestore. Default: 15.",
        ),
        HOT,
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
            "patch --type=merge) replaces the whole list, and so does server-side apply: one field manager owns it. A "
            'symbol that is listed twice is used once. Write "ON" in quotation marks: YAML reads ON as a boolean.',
        ),
        HOT,
    ]
    channels: Annotated[
        list[Channel],
        Meta(
            min_length=1,
            max_length=3,
            description="The channels to subscribe to for each symbol. quotes is required. trades: price is then "
            "the last trade instead of the mid; each symbol counts twice against the plan's symbol "
            "limit. bars: the last one-minute bar is kept in tenants/TENANT/live_bars/SYMBOL (not "
            "every provider has bars).",
        ),
        HOT,
    ] = field(default_factory=lambda: ["quotes"])
    sessions: (
        Annotated[
            list[TradingSession],
            Meta(
                min_length=1,
                max_length=3,
                description="The sessions of the market in which silence is a fault. Quotes are streamed and "
                "written in every session. Absent: regular and extended; with feeds boats and overnight, overnight; "
                "simulated quotes and feed test never stop. No effect with feed crypto and with a recorded tape.",
            ),
            HOT,
        ]
        | None
    ) = None
    enabled: Annotated[
        bool,
        Meta(
            description="The switch. Default: true. false closes the stream at once; heartbeats continue with "
            "status paused."
        ),
        HOT,
    ] = True
    pause: Annotated[
        Pause | None,
        Meta(description="Pauses the whole job while present, with an optional reason and end time. Absent: no pause."),
        HOT,
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
        HOT,
    ] = []  # noqa: RUF012  msgspec copies an empty list default
    dry_run: Annotated[
        bool,
        Meta(
            description='true: log "would write" and write no quotes to Firestore; heartbeats are still written. '
            "Default: false."
        ),
        HOT,
    ] = False
    alpaca: Annotated[AlpacaSettings | None, Meta(description="Settings of provider alpaca.")] = None
    ibkr: Annotated[IBKRSettings | None, Meta(description="Settings of provider ibkr.")] = None
    synthetic: Annotated[SyntheticSettings | None, Meta(description="Settings of provider synthetic.")] = None
    replay: Annotated[ReplaySettings | None, Meta(description="Settings of provider replay.")] = None
    limits: Annotated[WriteLimits, Meta(description="Limits on writes to Firestore."), HOT] = WriteLimits()
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
        HOT,
    ] = None
    http: Annotated[
        HTTPSettings | None,
        Meta(
            description="Access to the pod's HTTP interface. Absent: POST requests are refused, and GET requests below "
            "/runtime are answered only in the pod itself, such as through kubectl port-forward."
        ),
    ] = None

    pod: Annotated[PodOptions | None, Meta(description="Settings of the ingest pod, such as its resources.")] = None

    @property
    def provider_block(self) -> ProviderBlock | None:
        """The settings of the job's provider, in the field with the provider's name; None if the spec has none."""
        block: ProviderBlock | None = getattr(self, self.provider)
        return block

    @property
    def credentials(self) -> SecretMount | None:
        """The Secret with the credentials of the job's provider; None if the spec names none."""
        block = self.provider_block
        return block.credentials if block is not None else None


# `symbols` may not be empty.
_DEFAULTS = IngestJobSpec(tenant="", provider=get_args(Provider)[0], symbols=["X"])


def with_default_hot_fields(spec: IngestJobSpec) -> IngestJobSpec:
    """Return the spec with defaults in place of the fields that a running pod applies by itself (the hot fields).

    `symbols` is one placeholder. If two specs give the same result, the operator does not replace the pod when one
    changes into the other.
    """
    return with_hot_fields_of(spec, _DEFAULTS)
