"""What a provider of market data offers to the runtime. `docs/add-a-provider.md` shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sluice_contract.spec import IngestJobSpec

from ..history_ports import MarketHistory
from ..ports import MarketSnapshots, Source
from ..provider_ports import MarketHoursOfJob, Preflight, TradingDays
from ..settings import Settings


class StreamKey(NamedTuple):
    """The key that opens a stream, and the stream's URL. Two jobs with the same pair disturb each other."""

    key_id: str
    stream_url: str


@dataclass(frozen=True, kw_only=True)
class ProviderClients:
    """The clients of one job. None: the provider does not have the capability, or not for this job."""

    source: Source
    snapshots: MarketSnapshots | None = None
    history: MarketHistory | None = None
    trading_days: TradingDays | None = None
    read_stream_key: Callable[[], StreamKey | None] | None = None  # it returns None while the Secret is incomplete


@dataclass(frozen=True, kw_only=True)
class ProviderVariables:
    """The environment variables that a provider reads, and the block of the spec that it builds from them.

    `credentials` apply to every job without a cluster, and `options` to every job. `symbols` are other names of
    MONITORED_SYMBOLS. `block_fields` has the variable of each field of the spec, by the field's path; like `symbols`,
    they declare a job without a document.
    """

    credentials: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    block_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All variables that the provider reads."""
        return (*self.credentials, *self.options, *self.symbols, *self.block_fields.values())

    def read_block(self, environment: Mapping[str, str], *, is_dry_run: bool) -> dict[str, Any]:
        """Return the provider's block of a job that only the environment declares.

        Raises:
            SettingsError: a variable is missing, such as the credentials of a job that is not a dry run.
        """
        return {}

    def block_for_dry_run(self, block: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
        """Return the block of a document that is a dry run, changed to what the environment allows."""
        return block


@dataclass(frozen=True, kw_only=True)
class AlwaysOpenStream:
    """A stream for trials, which sends quotes of `symbol` around the clock.

    `create_source` takes the environment with the credentials, and the URL of another server (None: the provider's
    own). It raises SettingsError if credentials are missing. `variables` says which variables stream from it.
    """

    create_source: Callable[[Mapping[str, str], str | None], Source]
    symbol: str
    source_name: str
    variables: str


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider of market data. A capability that the provider does not have is None.

    `create_clients` and `create_preflight` take the settings of the process and its environment, in which a standalone
    runtime has its credentials: a pod reads mounted Secrets. They raise SettingsError. `create_preflight` returns None
    for a job without an account.

    `market_hours` is None for the regular and extended hours of the New York exchanges. `connection_key` returns what
    identifies the one connection that the provider allows, such as the name of a Secret: jobs of a namespace with the
    same key wait for each other. It returns None for a job whose connections are not limited.
    """

    title: str  # the name in sentences
    create_clients: Callable[[Settings, Mapping[str, str]], ProviderClients]
    create_preflight: Callable[[Settings, Mapping[str, str]], Preflight | None] | None = None
    market_hours: MarketHoursOfJob | None = None
    connection_key: Callable[[IngestJobSpec], str | None] | None = None
    has_provider_timestamps: Callable[[IngestJobSpec], bool] | None = None  # None: the runtime timestamps all quotes
    always_open_stream: AlwaysOpenStream | None = None
    variables: ProviderVariables = ProviderVariables()
