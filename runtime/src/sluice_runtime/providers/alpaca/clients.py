"""The clients of a job of provider alpaca."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from sluice_contract.alpaca import ALPACA_CA_DIR, ALPACA_CREDENTIALS_DIR, AlpacaSettings
from sluice_contract.identity import CA_KEY

from ...settings import SettingsError, first_set_variable
from ..provider import ProviderClients, StreamKey
from .calendar import AlpacaCalendar
from .clear_text import clear_text_warning
from .credentials import Credentials, CredentialsReader
from .endpoints import RestEndpoints, stream_url
from .environment import EnvironmentCredentialsReader
from .history import AlpacaHistory
from .key_pair_check import KeyPairCheck
from .rest import DATA_HOST
from .snapshots import AlpacaSnapshots
from .source import AlpacaSource
from .variables import KEY_ID, SECRET_KEY, missing_key_problem

_log = logging.getLogger(__name__)


def create_alpaca_clients(
    alpaca: AlpacaSettings, reader: CredentialsReader, endpoints: RestEndpoints
) -> ProviderClients:
    """Return the clients of a job with credentials. They share `reader`, so that a rotation changes all of them."""
    has_snapshots = endpoints.has_data_api and alpaca.feed != "test"
    has_history = endpoints.has_data_api and AlpacaHistory.has_history(alpaca)
    has_trading_days = endpoints.has_trading_api and alpaca.feed != "crypto"

    def read_stream_key() -> StreamKey | None:
        pair = reader.read_credentials_or_none()
        return None if pair is None else StreamKey(pair.key_id, stream_url(alpaca))

    return ProviderClients(
        source=AlpacaSource(alpaca, reader, check=KeyPairCheck.create_if_possible(alpaca, endpoints)),
        snapshots=AlpacaSnapshots(alpaca, reader, endpoints.data_url or DATA_HOST) if has_snapshots else None,
        history=AlpacaHistory(alpaca, reader, endpoints.data_url) if has_history else None,
        trading_days=AlpacaCalendar(reader, endpoints.trading_url) if has_trading_days else None,
        read_stream_key=read_stream_key,
    )


def create_environment_source(alpaca: AlpacaSettings, environment: Mapping[str, str]) -> AlpacaSource:
    """Return a source with the key pair in the environment, which must be complete."""
    pair = environment_credentials(environment)
    assert pair is not None  # noqa: S101  the caller has looked
    return AlpacaSource(alpaca, EnvironmentCredentialsReader(alpaca, pair))


def create_credentials_reader(
    alpaca: AlpacaSettings, endpoints: RestEndpoints, environment: Mapping[str, str], *, is_standalone: bool
) -> CredentialsReader:
    """Return the reader of the mounted Secret in a pod, and of the environment in a standalone runtime.

    Log a warning if a standalone runtime sends the key pair without encryption.

    Raises:
        SettingsError: the environment of a standalone runtime lacks a part of the key pair.
    """
    if not is_standalone:
        return mounted_credentials_reader(alpaca)
    pair = environment_credentials(environment)
    if pair is None:
        raise SettingsError(
            f"{missing_key_problem(environment)}; set both: a standalone runtime reads its key pair from "
            f"these variables"
        )
    if warning := clear_text_warning(alpaca, endpoints):
        _log.warning("%s", warning, extra={"event_type": "stream"})
    return EnvironmentCredentialsReader(alpaca, pair)


def mounted_credentials_reader(alpaca: AlpacaSettings) -> CredentialsReader:
    """Return the reader of the Secret that the pod mounts."""
    return CredentialsReader(alpaca, Path(ALPACA_CREDENTIALS_DIR), mounted_certificates_file(alpaca))


def mounted_certificates_file(alpaca: AlpacaSettings) -> Path | None:
    """Return the file of CA certificates to trust; None for the system's certificates."""
    return Path(ALPACA_CA_DIR) / CA_KEY if alpaca.ca_config_map_ref is not None else None


def environment_credentials(environment: Mapping[str, str]) -> Credentials | None:
    """Return the key pair in the environment; None unless both parts are set."""
    key_id, secret_key = first_set_variable(environment, KEY_ID), first_set_variable(environment, SECRET_KEY)
    return Credentials(key_id, secret_key) if key_id is not None and secret_key is not None else None
