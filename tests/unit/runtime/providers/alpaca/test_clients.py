import logging
from pathlib import Path
from typing import Any

import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.values import ConfigMapReference, SecretReference
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.providers.alpaca.clients import (
    create_alpaca_clients,
    create_credentials_reader,
    environment_credentials,
    mounted_certificates_file,
)
from sluice_runtime.providers.alpaca.credentials import Credentials, CredentialsReader
from sluice_runtime.providers.alpaca.endpoints import rest_endpoints
from sluice_runtime.providers.alpaca.environment import EnvironmentCredentialsReader
from sluice_runtime.providers.provider import ProviderClients, StreamKey
from sluice_runtime.settings import SettingsError
from support.fake_listener import FakeListener

KEYS = {"ALPACA_KEY_ID": "k", "ALPACA_SECRET_KEY": "s"}
STREAM = "wss://proxy.example/v2/iex"


def block(**fields: Any) -> AlpacaSettings:
    return AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"), **fields)


def clients(alpaca: AlpacaSettings, folder: Path = Path("nowhere")) -> ProviderClients:
    return create_alpaca_clients(alpaca, CredentialsReader(alpaca, folder, None), rest_endpoints(alpaca, None, None))


@pytest.mark.parametrize(
    ("fields", "has_history"),
    [
        ({}, True),
        ({"stream_url": STREAM, "data_url": "http://data"}, True),
        ({"stream_url": STREAM}, False),
        ({"feed": "test"}, False),
    ],
)
def test_past_data_and_snapshots_are_requested_where_the_data_interface_is_known(
    fields: dict[str, Any], has_history: bool
) -> None:
    found = clients(block(**fields))
    assert (found.history is not None, found.snapshots is not None) == (has_history, has_history)


@pytest.mark.parametrize(
    ("fields", "has_calendar"),
    [
        ({}, True),
        ({"feed": "overnight"}, True),
        ({"feed": "crypto"}, False),  # it has no trading days
        ({"stream_url": STREAM}, False),
        ({"stream_url": STREAM, "trading_url": "https://trading.example"}, True),
    ],
)
def test_a_calendar_is_requested_where_the_trading_interface_is_known(
    fields: dict[str, Any], has_calendar: bool
) -> None:
    assert (clients(block(**fields)).trading_days is not None) is has_calendar


def test_the_stream_key_is_that_of_the_mounted_pair_and_absent_while_the_secret_is_incomplete(tmp_path: Path) -> None:
    read = clients(block(), tmp_path).read_stream_key
    assert read is not None
    assert read() is None
    for name in KEYS:
        (tmp_path / name).write_text("PK1\n")
    assert read() == StreamKey("PK1", "wss://stream.data.alpaca.markets/v2/iex")


async def test_a_pod_reads_its_mounted_secret_whatever_the_environment_has() -> None:
    endpoints = rest_endpoints(block(), None, None)
    reader = create_credentials_reader(block(), endpoints, KEYS, is_standalone=False)
    source = create_alpaca_clients(block(), reader, endpoints).source
    with pytest.raises(StreamError, match="the Secret alpaca is missing"):
        async with source.connect(FakeListener()):
            pass


def test_a_standalone_runtime_needs_both_keys_in_its_environment() -> None:
    endpoints = rest_endpoints(block(), None, None)
    reader = create_credentials_reader(block(), endpoints, KEYS, is_standalone=True)
    assert isinstance(reader, EnvironmentCredentialsReader)
    with pytest.raises(SettingsError, match=r"^ALPACA_SECRET_KEY is not set, although ALPACA_KEY_ID is; set both: a"):
        create_credentials_reader(block(), endpoints, {"ALPACA_KEY_ID": "k"}, is_standalone=True)


def test_a_standalone_runtime_warns_of_a_server_without_encryption(caplog: pytest.LogCaptureFixture) -> None:
    alpaca = block(stream_url="ws://proxy.example/v2/iex")
    with caplog.at_level(logging.WARNING):
        create_credentials_reader(alpaca, rest_endpoints(alpaca, None, None), KEYS, is_standalone=True)
    assert "the key pair is sent without encryption to ws://proxy.example" in caplog.text


def test_certificates_are_read_only_if_the_job_names_some() -> None:
    assert mounted_certificates_file(block()) is None
    named = mounted_certificates_file(block(ca_config_map_ref=ConfigMapReference(name="ca")))
    assert str(named) == "/etc/sluice/alpaca-ca/ca.crt"


def test_the_environment_has_a_key_pair_if_both_parts_are_set() -> None:
    assert environment_credentials(KEYS) == Credentials("k", "s")
    assert environment_credentials({"APCA_API_KEY_ID": "k", "APCA_API_SECRET_KEY": "s"}) == Credentials("k", "s")
    assert environment_credentials({"ALPACA_KEY_ID": "k"}) is None
