"""Checks account, entitlement, symbols and clock over Alpaca's REST interface, with alpaca-py.

Imported only in the short-lived process of `sluice-runtime preflight`, so that pandas stays out of the pod's process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import CryptoLatestQuoteRequest, StockLatestQuoteRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import GetCalendarRequest
from requests import RequestException
from requests.exceptions import JSONDecodeError, ProxyError

from sluice_contract.alpaca import ALPACA_LIVE_TRADING_URL
from sluice_contract.spec import IngestJobSpec

from ...adapters.http_proxies import proxy_for_url, proxy_refusal_text, proxy_unreachable_text, via_proxy
from ...adapters.proxy_session import ProxySession, RedirectError
from ...domain.failure import UnusableVariableError
from ...domain.preflight import Finding
from .credentials import Credentials
from .endpoints import RestEndpoints
from .rest import REDIRECT_REMEDY

Client = TypeVar("Client", TradingClient, CryptoHistoricalDataClient, StockHistoricalDataClient)

_SKEW_SECONDS = 5.0
# One request per symbol: a plan allows 200 requests a minute.
_SYMBOLS = 100
_UNAUTHORIZED = 401
_REMEDIES = {
    _UNAUTHORIZED: "; check the key pair, and that it is of the account (paper or live) that tradingURL serves",
    403: "; the account's plan or the key does not allow this: choose another feed, or another key",
    404: "; remove the symbol, or correct its spelling",
    429: "; Alpaca limits the requests: try again in a minute",
}
_UNREADABLE = "the answer is not in the form that Alpaca documents; check the URLs of Alpaca's interfaces"
# In the text of requests about a proxy that refuses a tunnel.
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")


def check_account_and_symbols(
    spec: IngestJobSpec, credentials: Credentials, endpoints: RestEndpoints, certificates: Path | None = None
) -> Iterator[Finding]:
    """Check account, entitlement, symbols, clock and calendar, and yield the findings.

    Never raises: a failed check is a finding that is not good. A symbol yields a finding only if its check fails.

    `certificates` is the file of certificates to trust in place of the system's.
    """
    try:
        proxy_for_url(ALPACA_LIVE_TRADING_URL)
    except UnusableVariableError as error:
        yield Finding("proxy", False, str(error))
        return
    if certificates is not None:
        os.environ["REQUESTS_CA_BUNDLE"] = str(certificates)  # alpaca-py offers no other way to configure requests
    key, secret = credentials.key_id, credentials.secret_key
    # Keys of a paper account begin with PK, and the live interface refuses them.
    trading = _with_proxies(TradingClient(key, secret, paper=key.startswith("PK"), url_override=endpoints.trading_url))
    account = _run_check("account", lambda: _check_account(trading.get_account()))
    yield account
    feed = spec.alpaca.feed if spec.alpaca else "iex"
    if (quote := _latest_quote_function(feed, spec.symbols[0], credentials, endpoints)) is not None:
        yield _run_check("entitlement", lambda: (bool(quote()), f"feed {feed} is allowed"))
    if account.words.startswith(_refusal_text(_UNAUTHORIZED)):
        return  # the same interface would refuse the other requests too
    for symbol in spec.symbols[:_SYMBOLS] if feed != "test" else ():
        found = _run_check(symbol, partial(_check_asset, trading, symbol))
        if not found.good:
            yield found
    has_hours = feed != "crypto"  # the crypto market has no hours
    yield _run_check("clock", lambda: _check_clock(trading.get_clock(), has_hours=has_hours))
    if has_hours:
        today = datetime.now(UTC).date()
        yield _run_check("calendar", lambda: _check_calendar(trading.get_calendar(GetCalendarRequest(start=today))))


def _latest_quote_function(
    feed: str, symbol: str, credentials: Credentials, endpoints: RestEndpoints
) -> Callable[[], Any] | None:
    """Return a function that requests the latest quote of `symbol`; None if no known REST interface has the feed."""
    if not endpoints.has_data_api:
        return None
    key, secret = credentials.key_id, credentials.secret_key
    if feed == "crypto":
        crypto = _with_proxies(CryptoHistoricalDataClient(key, secret, url_override=endpoints.data_url))
        pair = CryptoLatestQuoteRequest(symbol_or_symbols=symbol)
        return lambda: crypto.get_crypto_latest_quote(pair)
    if feed not in {each.value for each in DataFeed}:
        return None
    stocks = _with_proxies(StockHistoricalDataClient(key, secret, url_override=endpoints.data_url))
    request = StockLatestQuoteRequest(symbol_or_symbols=symbol, feed=DataFeed(feed))
    return lambda: stocks.get_stock_latest_quote(request)


def _with_proxies(client: Client) -> Client:
    """Return the client of alpaca-py, with a session that uses Sluice's proxies. The name of its session is private."""
    client._session = ProxySession()
    return client


def _run_check(question: str, answer: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        good, words = answer()
    except APIError as error:
        status = error.status_code or 0
        return Finding(question, False, f"{_refusal_text(status)}{_REMEDIES.get(status, '')}")
    except JSONDecodeError:
        return Finding(question, False, _UNREADABLE)
    except RedirectError as error:
        return Finding(question, False, f"{error}; {REDIRECT_REMEDY}")
    except RequestException as error:
        return Finding(question, False, f"Alpaca cannot be reached: {_connection_error_text(error)}")
    except (ValueError, TypeError, AttributeError, KeyError):  # also pydantic's; their text quotes the answer
        return Finding(question, False, _UNREADABLE)
    return Finding(question, good, words)


def _refusal_text(status: int) -> str:
    return f"Alpaca refuses (HTTP {status})"


def _connection_error_text(error: RequestException) -> str:
    """Return the kind of the error and the proxy of the request. The error's own text may contain a password."""
    proxy = proxy_for_url(getattr(error.request, "url", None) or ALPACA_LIVE_TRADING_URL)
    if proxy is None:
        return type(error).__name__
    if found := _TUNNEL_STATUS.search(str(error)):
        return proxy_refusal_text(proxy, int(found[1]))
    if isinstance(error, ProxyError):
        return proxy_unreachable_text(proxy, "it does not answer as an HTTP proxy")
    return f"{type(error).__name__}{via_proxy(proxy)}"


def _check_account(account: Any) -> tuple[bool, str]:
    state = account.status.value
    blocked = account.account_blocked or account.trading_blocked
    return state == "ACTIVE" and not account.account_blocked, f"{state}{', blocked' if blocked else ''}"


def _check_asset(trading: Any, symbol: str) -> tuple[bool, str]:
    # The slash of a pair must not be part of the path.
    state = trading.get_asset(symbol.replace("/", "%2F")).status.value
    return state == "active", "active" if state == "active" else f"{state}; remove it from spec.symbols"


def _check_clock(clock: Any, *, has_hours: bool) -> tuple[bool, str]:
    skew = (datetime.now(UTC) - clock.timestamp).total_seconds()
    hours = "open" if clock.is_open else f"closed until {clock.next_open.isoformat()}"
    state = hours if has_hours else "always open"
    if abs(skew) > _SKEW_SECONDS:
        direction = "ahead of" if skew > 0 else "behind"
        return (
            False,
            f"this machine's clock is {abs(skew):.0f} s {direction} Alpaca's: run NTP (such as chrony) on it; "
            f"the market is {state}",
        )
    return True, f"the market is {state}"


def _check_calendar(days: Any) -> tuple[bool, str]:
    if not days:
        return False, "Alpaca's calendar has no session from today on"
    return True, f"next session {days[0].date.isoformat()}, {days[0].open:%H:%M} to {days[0].close:%H:%M} in New York"
