"""GET requests to Alpaca's REST interfaces, through the proxy of the environment."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import msgspec

from sluice_contract.alpaca import ALPACA_DATA_URL, ALPACA_LIVE_TRADING_URL, ALPACA_PAPER_TRADING_URL
from sluice_contract.redirects import is_redirect, redirect_text
from sluice_contract.status_values import Instant

from ...adapters.error_text import redact_url, unreachable_reason
from ...adapters.http_proxies import (
    aiohttp_proxy_error_text,
    aiohttp_request_arguments,
    proxy_for_url,
    proxy_refusal_text,
    via_proxy,
)
from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import UnusableVariableError
from ...domain.market import Bar
from .credentials import Credentials
from .errors import retry_after_seconds
from .websocket import aiohttp_tls

DATA_HOST: Final = ALPACA_DATA_URL
LIVE_TRADING_HOST: Final = ALPACA_LIVE_TRADING_URL
PAPER_TRADING_HOST: Final = ALPACA_PAPER_TRADING_URL
REDIRECT_REMEDY: Final = "set spec.alpaca.dataURL or spec.alpaca.tradingURL to the final address"
_PAPER_PREFIX: Final = "PK"  # of the key ids of paper accounts, which the live interface refuses


def trading_host(pair: Credentials) -> str:
    """Return the base URL of Alpaca's own trading interface for this pair."""
    return PAPER_TRADING_HOST if pair.key_id.startswith(_PAPER_PREFIX) else LIVE_TRADING_HOST


class RestResponse(msgspec.Struct, frozen=True):
    """A response of any status. `refusal` is a sentence about a status other than 200.

    `retry_after` is the number of seconds that the response asks to wait; 0 if it does not say. `clock_reading` is what
    its Date says about the provider's time.
    """

    status: int
    body: bytes
    refusal: str
    retry_after: float
    clock_reading: ClockReading | None


class RestBar(msgspec.Struct, gc=False):
    """A one-minute bar in a response. The names are Alpaca's."""

    t: Instant
    o: float
    h: float
    l: float  # noqa: E741  Alpaca's name
    c: float
    v: float = 0.0

    def to_bar(self, symbol: str) -> Bar:
        """Return the bar of a symbol."""
        return Bar(symbol=symbol, ts=self.t, open=self.o, high=self.h, low=self.l, close=self.c, volume=self.v)


class RestUnreachableError(Exception):
    """There is no response. The message is a sentence without secrets that names the URL, and the proxy if any.

    `reason` is the same without the URL.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be reached: {reason}")
        self.reason = reason


class RestSession:
    """An HTTP session for a few requests with one key pair."""

    def __init__(self, session: aiohttp.ClientSession, pair: Credentials, tls: ssl.SSLContext | None) -> None:
        """`tls` has the job's own certificates; None for those of the system."""
        self._session = session
        self._headers = {"APCA-API-KEY-ID": pair.key_id, "APCA-API-SECRET-KEY": pair.secret_key}
        self._tls = tls

    async def get(self, url: str, query: Mapping[str, str]) -> RestResponse:
        """Send a request, and return the response. Redirects are not followed, because they would get the key pair.

        Raises:
            RestUnreachableError: there is no response.
        """
        name, clock = redact_url(url), asyncio.get_running_loop().time
        try:
            proxy = proxy_for_url(url)
        except UnusableVariableError as error:
            raise RestUnreachableError(name, str(error)) from None
        is_encrypted = url.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        tls = self._tls or (aiohttp_tls(None) if is_encrypted else True)
        arguments = aiohttp_request_arguments(proxy, url, self._headers)
        sent_at = clock()
        try:
            async with self._session.get(url, params=query, ssl=tls, allow_redirects=False, **arguments) as answer:
                date = answer.headers.get("Date", "")
                reading = date_header_reading(date, answer.headers.get("Age", ""), sent_at, clock())
                if answer.status == 407 and proxy is not None:
                    raise RestUnreachableError(name, proxy_refusal_text(proxy, 407))
                return RestResponse(
                    status=answer.status,
                    body=await answer.read(),
                    refusal=f"{name} {_refusal_text(answer.status, via_proxy(proxy))}",
                    retry_after=retry_after_seconds(answer.headers.get("Retry-After", ""), date),
                    clock_reading=reading,
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host or key
            said = aiohttp_proxy_error_text(proxy, error) or f"{unreachable_reason(error)}{via_proxy(proxy)}"
            raise RestUnreachableError(name, said) from None


def _refusal_text(status: int, via: str) -> str:
    """Return words about a response with this status. `via` names the proxy, see `via_proxy`."""
    if is_redirect(status):
        return f"{redirect_text(status)}{via}; {REDIRECT_REMEDY}"
    return f"answered HTTP {status}{via}"


@asynccontextmanager
async def rest_session(pair: Credentials, tls: ssl.SSLContext | None, seconds: float) -> AsyncIterator[RestSession]:
    """Open a session. `tls` has the job's own certificates, if there are any. Each request has `seconds` in all."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session:
        yield RestSession(session, pair, tls)
