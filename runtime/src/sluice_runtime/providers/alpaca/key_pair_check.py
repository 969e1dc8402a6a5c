"""Checks a key pair with one request to a REST interface of Alpaca, before the stream depends on the pair."""

from __future__ import annotations

import ssl

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.redirects import is_redirect, redirect_text

from .credentials import Credentials
from .endpoints import RestEndpoints
from .rest import DATA_HOST, RestUnreachableError, rest_session, trading_host

_SECONDS = 10.0
_SYMBOL = "SPY"


class KeyPairCheck:
    """Requests one small answer that needs a login: market data of the feed, or the account."""

    def __init__(self, settings: AlpacaSettings, endpoints: RestEndpoints) -> None:
        """`endpoints` have a data interface or a trading interface."""
        self._feed = settings.feed
        self._endpoints = endpoints
        # Market data of crypto needs no login, and feed test has none.
        self._uses_data_api = endpoints.has_data_api and settings.feed not in ("crypto", "test")

    @classmethod
    def create_if_possible(cls, settings: AlpacaSettings, endpoints: RestEndpoints) -> KeyPairCheck | None:
        """Return a check; None if no interface is known that can tell whether a pair is valid."""
        check = cls(settings, endpoints)
        return check if check._uses_data_api or endpoints.has_trading_api else None

    async def refusal_status(self, pair: Credentials, tls: ssl.SSLContext | None) -> int | None:
        """Return the HTTP status with which Alpaca refuses the pair; None if it accepts the pair.

        Raises:
            KeyPairCheckError: the interface cannot be reached, or its answer says neither.
        """
        url, query = self._request(pair)
        try:
            async with rest_session(pair, tls, _SECONDS) as session:
                status = (await session.get(url, query)).status
        except RestUnreachableError as error:
            raise KeyPairCheckError(error.reason) from None
        if status in (401, 403):
            return status
        if 200 <= status < 300:
            return None
        raise KeyPairCheckError(f"it {redirect_text(status)}" if is_redirect(status) else f"HTTP {status}")

    def _request(self, pair: Credentials) -> tuple[str, dict[str, str]]:
        if self._uses_data_api:
            query = {"symbols": _SYMBOL, "feed": self._feed}
            return f"{self._endpoints.data_url or DATA_HOST}/v2/stocks/snapshots", query
        return f"{self._endpoints.trading_url or trading_host(pair)}/v2/account", {}


class KeyPairCheckError(Exception):
    """The check has no result. The message says why, without secrets."""
