"""Provider `alpaca`: quotes, trades and bars of Alpaca's market-data service.

A job without credentials is a dry run by its schema. Its quotes are simulated, so they are never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import msgspec

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.spec import IngestJobSpec
from sluice_contract.synthetic import SyntheticSettings

from ...domain.market_hours import (
    ALWAYS_OPEN,
    OVERNIGHT_HOURS,
    REGULAR_AND_EXTENDED_HOURS,
    MarketSchedule,
    with_sessions_of_job,
)
from ...ports import Source
from ...provider_ports import Preflight
from ...settings import Settings, SettingsError, first_set_variable
from ..provider import AlwaysOpenStream, Provider, ProviderClients
from ..simulated_quotes import SyntheticSource
from .endpoints import RestEndpoints, rest_endpoints
from .variables import DATA_URL, KEY_ID, SECRET_KEY, TRADING_URL, VARIABLES, read_url

# The feeds that differ from REGULAR_AND_EXTENDED_HOURS.
_FEED_SCHEDULES: dict[str, MarketSchedule] = {
    "iex": msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, exchange_hours=(time(8), time(17))),  # IEX's own hours
    "delayed_sip": msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, delay=timedelta(minutes=15)),
    "test": ALWAYS_OPEN,
    "overnight": OVERNIGHT_HOURS,
    "boats": OVERNIGHT_HOURS,
}


def _block_with_credentials(spec: IngestJobSpec) -> AlpacaSettings | None:
    """Return the block of a job with credentials; None for a job that simulates its quotes."""
    return spec.alpaca if spec.alpaca is not None and spec.alpaca.credentials is not None else None


def _create_clients(settings: Settings, environment: Mapping[str, str]) -> ProviderClients:
    block = _block_with_credentials(settings.job.spec)
    endpoints = _endpoints(block or AlpacaSettings(), environment)
    if block is None:
        return ProviderClients(
            source=SyntheticSource(SyntheticSettings(), lambda: datetime.now(UTC), name="alpaca:simulated")
        )
    from .clients import create_alpaca_clients, create_credentials_reader  # noqa: PLC0415

    reader = create_credentials_reader(block, endpoints, environment, is_standalone=settings.is_standalone)
    return create_alpaca_clients(block, reader, endpoints)


def _create_preflight(settings: Settings, environment: Mapping[str, str]) -> Preflight | None:
    """Return the checks of the key pair in the environment, or else of the one in the mounted Secret."""
    block = settings.job.spec.alpaca
    if block is None:
        return None
    from .account_check import create_account_check  # noqa: PLC0415

    return create_account_check(settings, _endpoints(block, environment), environment)


def _endpoints(block: AlpacaSettings, environment: Mapping[str, str]) -> RestEndpoints:
    return rest_endpoints(block, read_url(environment, TRADING_URL), read_url(environment, DATA_URL))


def _market_hours(spec: IngestJobSpec) -> MarketSchedule:
    """Return the hours of the feed. The feed crypto has no sessions, and simulated quotes never stop."""
    block = spec.alpaca
    if block is not None and block.feed == "crypto":
        return ALWAYS_OPEN
    if block is None or block.credentials is None:
        return with_sessions_of_job(ALWAYS_OPEN, spec)
    return with_sessions_of_job(_FEED_SCHEDULES.get(block.feed, REGULAR_AND_EXTENDED_HOURS), spec)


def _connection_key(spec: IngestJobSpec) -> str | None:
    """Return the Secret and the stream: Alpaca allows one connection per key pair and feed."""
    block = _block_with_credentials(spec)
    if block is None or block.credentials is None:
        return None
    return f"{block.credentials.name}\n{block.stream_url or block.feed}"


def _create_test_source(environment: Mapping[str, str], stream_url: str | None) -> Source:
    """Return the source of Alpaca's test stream, or of the same stream on another server."""
    pair = {names[0]: first_set_variable(environment, names) for names in (KEY_ID, SECRET_KEY)}
    missing = [name for name, value in pair.items() if value is None]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        raise SettingsError(
            f"{' and '.join(missing)} {verb} not set; use the key pair of an Alpaca account, such as a paper account"
        )
    from .clients import create_environment_source  # noqa: PLC0415

    return create_environment_source(AlpacaSettings(feed="test", stream_url=stream_url), environment)


PROVIDER = Provider(
    title="Alpaca",
    create_clients=_create_clients,
    create_preflight=_create_preflight,
    market_hours=_market_hours,
    connection_key=_connection_key,
    has_provider_timestamps=lambda spec: _block_with_credentials(spec) is not None,
    always_open_stream=AlwaysOpenStream(
        create_source=_create_test_source,
        symbol="FAKEPACA",
        source_name="alpaca:test",
        variables="ALPACA_DATA_FEED=test with MONITORED_SYMBOLS=FAKEPACA",
    ),
    variables=VARIABLES,
)
