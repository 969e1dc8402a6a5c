"""The preflight checks of Alpaca's account, with alpaca-py if it is installed."""

from __future__ import annotations

from collections.abc import Mapping

from sluice_contract.spec import IngestJobSpec

from ...domain.failure import StreamError
from ...domain.preflight import Finding
from ...settings import Settings, SettingsError
from .clients import environment_credentials, mounted_credentials_reader
from .credentials import CredentialsReader
from .endpoints import RestEndpoints
from .environment import EnvironmentCredentialsReader
from .variables import missing_key_problem


class AccountCheck:
    """Checks the account of one job. Implements `Preflight`."""

    def __init__(self, spec: IngestJobSpec, credentials_reader: CredentialsReader, endpoints: RestEndpoints) -> None:
        self._spec = spec
        self._credentials_reader = credentials_reader
        self._endpoints = endpoints

    @property
    def skip_reason(self) -> str | None:
        """None if the URL of the trading interface is known."""
        if self._endpoints.has_trading_api:
            return None
        return "the stream is not Alpaca's own (set APCA_API_BASE_URL or spec.alpaca.tradingURL)"

    def run_checks(self) -> list[Finding]:
        """Run the checks of account, entitlement, symbols and clock."""
        try:
            from .preflight import check_account_and_symbols  # noqa: PLC0415
        except ImportError as error:
            return [Finding("preflight", False, f"not done: this image has no alpaca-py ({error})")]
        try:
            credentials = self._credentials_reader.read_and_remember_credentials()
            certificates = self._credentials_reader.copy_certificates_to_memory()
        except StreamError as error:
            return [Finding("credentials", False, error.message)]
        return list(check_account_and_symbols(self._spec, credentials, self._endpoints, certificates))


def create_account_check(
    settings: Settings, endpoints: RestEndpoints, environment: Mapping[str, str]
) -> AccountCheck | None:
    """Return the check with the key pair in the environment, or else in the mounted Secret; None if there is neither.

    Raises:
        SettingsError: a standalone runtime needs the key pair, and the environment lacks a part of it.
    """
    spec = settings.job.spec
    assert spec.alpaca is not None  # noqa: S101  the caller has looked
    if (pair := environment_credentials(environment)) is not None:
        return AccountCheck(spec, EnvironmentCredentialsReader(spec.alpaca, pair), endpoints)
    if spec.alpaca.credentials is None:
        return None
    if settings.is_standalone:
        raise SettingsError(f"{missing_key_problem(environment)}; set both to check the account")
    return AccountCheck(spec, mounted_credentials_reader(spec.alpaca), endpoints)
