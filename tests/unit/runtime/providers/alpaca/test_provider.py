from datetime import time, timedelta
from typing import Any

import msgspec
import pytest

from sluice_contract.spec import IngestJobSpec
from sluice_runtime.domain.market_hours import (
    ALWAYS_OPEN,
    OVERNIGHT_HOURS,
    REGULAR_AND_EXTENDED_HOURS,
    REGULAR_HOURS,
    MarketSchedule,
)
from sluice_runtime.providers.alpaca.provider import PROVIDER
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_runtime.providers.simulated_quotes import SyntheticSource
from sluice_runtime.settings import SettingsError
from support.provider_settings import settings_of
from support.runtime_fakes import job_spec

ACCOUNT = {"credentialsSecretRef": {"name": "alpaca"}}
KEYS = {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}
IEX_HOURS = msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, exchange_hours=(time(8), time(17)))
DELAYED_HOURS = msgspec.structs.replace(REGULAR_AND_EXTENDED_HOURS, delay=timedelta(minutes=15))
ALL_SESSIONS = ["overnight", "regular", "extended"]


def spec(**alpaca: Any) -> IngestJobSpec:
    return job_spec(provider="alpaca", alpaca=ACCOUNT | alpaca)


@pytest.mark.parametrize("declared", [{}, {"alpaca": {}}])
def test_a_job_without_credentials_is_simulated_and_says_so(declared: dict[str, Any]) -> None:
    clients = PROVIDER.create_clients(settings_of(provider="alpaca", dryRun=True, **declared), KEYS)
    assert isinstance(clients.source, SyntheticSource)
    assert clients.source.name == "alpaca:simulated"
    assert (clients.snapshots, clients.history, clients.trading_days) == (None, None, None)


def test_a_job_with_credentials_has_every_client() -> None:
    clients = PROVIDER.create_clients(settings_of(provider="alpaca", alpaca=ACCOUNT), KEYS)
    assert isinstance(clients.source, AlpacaSource)
    assert None not in (clients.snapshots, clients.history, clients.trading_days, clients.read_stream_key)


def test_an_invalid_address_is_reported_by_clients_and_preflight() -> None:
    settings = settings_of(provider="alpaca", alpaca=ACCOUNT, in_pod=True)
    assert PROVIDER.create_preflight is not None
    for create in (PROVIDER.create_clients, PROVIDER.create_preflight):
        with pytest.raises(SettingsError) as error:
            create(settings, {"APCA_API_DATA_URL": "data.alpaca.markets"})
        assert str(error.value) == (
            "APCA_API_DATA_URL is not a server's URL; use one like https://paper-api.alpaca.markets"
        )


@pytest.mark.parametrize(
    ("feed", "sessions", "expected"),
    [
        ("iex", None, IEX_HOURS),
        ("sip", None, REGULAR_AND_EXTENDED_HOURS),
        ("delayed_sip", None, DELAYED_HOURS),
        ("overnight", None, OVERNIGHT_HOURS),
        ("boats", None, OVERNIGHT_HOURS),
        ("crypto", None, ALWAYS_OPEN),
        ("test", None, ALWAYS_OPEN),
        ("sip", ["regular"], REGULAR_HOURS),
        ("boats", ALL_SESSIONS, MarketSchedule(frozenset(ALL_SESSIONS))),  # type: ignore[arg-type]
        ("test", ["regular"], MarketSchedule(frozenset({"regular"}), "open")),
        ("crypto", ["regular"], ALWAYS_OPEN),
    ],
)
def test_a_job_has_the_sessions_of_its_spec_or_of_its_feed(
    feed: str, sessions: list[str] | None, expected: MarketSchedule
) -> None:
    assert PROVIDER.market_hours is not None
    declared = {"sessions": sessions} if sessions else {}
    assert PROVIDER.market_hours(job_spec(provider="alpaca", alpaca={**ACCOUNT, "feed": feed}, **declared)) == expected


def test_simulated_quotes_have_no_market_hours() -> None:
    assert PROVIDER.market_hours is not None
    assert PROVIDER.market_hours(job_spec(provider="alpaca", dryRun=True)) == ALWAYS_OPEN


def test_each_secret_and_endpoint_has_its_own_connection() -> None:
    assert PROVIDER.connection_key is not None
    other = spec(credentialsSecretRef={"name": "other"})
    declared = [spec(), other, spec(feed="sip"), spec(streamURL="wss://proxy.example/v2/iex")]
    keys = [PROVIDER.connection_key(each) for each in declared]
    assert (len(set(keys)), None in keys) == (4, False)
    assert keys[0] == PROVIDER.connection_key(spec(feed="iex")) == "alpaca\niex"
    assert PROVIDER.connection_key(job_spec(provider="alpaca", dryRun=True)) is None


def test_simulated_quotes_have_no_timestamps_of_the_provider() -> None:
    assert PROVIDER.has_provider_timestamps is not None
    assert PROVIDER.has_provider_timestamps(spec())
    assert not PROVIDER.has_provider_timestamps(job_spec(provider="alpaca", dryRun=True))


def test_the_test_stream_needs_the_key_pair() -> None:
    stream = PROVIDER.always_open_stream
    assert stream is not None
    assert stream.create_source(KEYS, None).name == stream.source_name
    with pytest.raises(SettingsError, match=r"^ALPACA_SECRET_KEY is not set; use the key pair of an Alpaca account"):
        stream.create_source({"ALPACA_KEY_ID": "k"}, None)
