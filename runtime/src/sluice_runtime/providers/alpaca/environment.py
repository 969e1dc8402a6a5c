"""Alpaca's key pair from the environment, for a runtime without a Secret. It does not change at run time."""

from __future__ import annotations

from pathlib import Path

from sluice_contract.alpaca import AlpacaSettings

from .credentials import Credentials, CredentialsReader
from .errors import Remedies


class EnvironmentCredentialsReader(CredentialsReader):
    """Returns a fixed key pair in place of a mounted one. The certificates in `ca_file` are read as in a pod."""

    def __init__(self, settings: AlpacaSettings, credentials: Credentials, ca_file: Path | None = None) -> None:
        super().__init__(settings, Path(), ca_file)
        self._given = credentials

    @property
    def remedies(self) -> Remedies:
        """As in a pod, for a pair from the environment."""
        return Remedies(
            "check the key pair in the environment, and that it belongs to this account; then restart the runtime",
            "name a file with its CA in SSL_CERT_FILE, and restart the runtime",
        )

    def _read_key_pair(self) -> Credentials | None:
        return self._given
