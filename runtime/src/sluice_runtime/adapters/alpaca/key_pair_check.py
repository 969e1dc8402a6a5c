"""Checks a key pair with one request to a REST interface of Alpaca, before the stream depends on the pair."""

from __future__ import annotations

import ssl

import aiohttp

from sluice_contract.alpaca import AlpacaSettings

from ...domain.endpoints import RestEndpoints
from .credentials import Credentials
from .snapshots import HOST
from .websocket import system_tls_context

_LIVE_TRADING, _PAPER_TRADING = "https://api.alpaca.markets", "https://paper-api.alpaca.markets"
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
        headers = {"APCA-API-KEY-ID": pair.key_id, "APCA-API-SECRET-KEY": pair.secret_key}
        trusted = tls or (system_tls_context() if url.startswith("https:") else True)
        try:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, params=query, headers=headers, ssl=trusted, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host or key
            raise KeyPairCheckError(type(error).__name__) from None
        if status in (401, 403):
            return status
        if 200 <= status < 300:
            return None
        raise KeyPairCheckError(f"HTTP {status}")

    def _request(self, pair: Credentials) -> tuple[str, dict[str, str]]:
        if self._uses_data_api:
            query = {"symbols": _SYMBOL, "feed": self._feed}
            return f"{self._endpoints.data_url or HOST}/v2/stocks/snapshots", query
        # Keys of a paper account begin with PK, and the live interface refuses them.
        alpaca = _PAPER_TRADING if pair.key_id.startswith("PK") else _LIVE_TRADING
        return f"{self._endpoints.trading_url or alpaca}/v2/account", {}


class KeyPairCheckError(Exception):
    """The check has no result. The message says why, without secrets."""
