"""Market snapshots from Alpaca's REST interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp
import msgspec

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.status_values import Instant

from ...domain.batches import batches
from ...domain.clock_skew import ClockReading, date_header_reading
from ...domain.failure import SnapshotError, UnusableVariableError
from ...domain.market import Bar, Quote, Trade, TradeCancellation, is_valid_price, normalised_side
from ...domain.market_snapshot import MarketSnapshot
from ..decoding import decode_json
from ..error_text import redact_url, unreachable_reason
from ..http_proxies import (
    aiohttp_proxy_error_text,
    aiohttp_request_arguments,
    proxy_for_url,
    proxy_refusal_text,
    via_proxy,
)
from .credentials import Credentials, CredentialsReader
from .trade_conditions import SaleConditions, rule_of_conditions
from .websocket import system_tls_context

HOST = "https://data.alpaca.markets"

# Symbols per request: with more, the URL would be too long for some proxies.
_SYMBOLS = 200
_SECONDS = 10.0
_RETRY_AFTER_MOST_SECONDS = 600.0


class _Quote(msgspec.Struct, gc=False):
    t: Instant
    bp: float = 0.0
    bs: float = 0.0
    ap: float = 0.0
    size: float = msgspec.field(default=0.0, name="as")


class _Trade(msgspec.Struct, gc=False):
    t: Instant
    p: float
    s: float = 1.0
    i: int | None = None
    x: str = ""
    c: SaleConditions | None = None
    z: str = ""
    u: str = ""  # set if the trade was updated: canceled; incorrect (replaced by a correction); corrected

    @property
    def is_revoked(self) -> bool:
        return self.u in ("canceled", "incorrect")

    def to_trade(self, symbol: str) -> Trade:
        rule = rule_of_conditions(self.z, self.c, self.s)
        return Trade(symbol=symbol, ts=self.t, price=self.p, size=self.s, id=self.i, exchange=self.x, rule=rule)

    def to_cancellation(self, symbol: str, trade_id: int) -> TradeCancellation:
        # When it was canceled is not part of the answer. It was after the trade.
        return TradeCancellation(symbol=symbol, ts=self.t, id=trade_id, exchange=self.x, price=self.p)


class _MinuteBar(msgspec.Struct, gc=False):
    t: Instant
    o: float
    h: float
    l: float  # noqa: E741  Alpaca's name
    c: float
    v: float = 0.0


class _Snapshot(msgspec.Struct, gc=False, rename="camel"):
    latest_quote: _Quote | None = None
    latest_trade: _Trade | None = None
    minute_bar: msgspec.Raw = msgspec.Raw(b"null")


class _CryptoResponse(msgspec.Struct):
    snapshots: dict[str, msgspec.Raw]


class AlpacaSnapshots:
    """Fetches market snapshots over REST. No connection stays open, because requests are rare."""

    def __init__(self, settings: AlpacaSettings, credentials_reader: CredentialsReader, host: str = HOST) -> None:
        self._is_crypto = settings.feed == "crypto"
        self._url = f"{host}/{'v1beta3/crypto/us' if self._is_crypto else 'v2/stocks'}/snapshots"
        self._feed = {} if self._is_crypto else {"feed": settings.feed}
        self._name = redact_url(self._url)
        self._credentials_reader = credentials_reader

    async def fetch_latest_quotes_and_trades(self, symbols: Sequence[str]) -> MarketSnapshot:
        """Return the newest quotes and trades of `symbols`. A symbol with a malformed answer is left out."""
        credentials = self._credentials_reader.read_credentials_or_none()
        if credentials is None:
            raise SnapshotError("there are no credentials for Alpaca; check the Secret")
        found: dict[str, msgspec.Raw] = {}
        reading: ClockReading | None = None
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session:
            for some in batches(symbols, _SYMBOLS):
                answers, reading = await self._request_snapshots(session, credentials, some)
                found |= answers
        return _market_snapshot(found, reading)

    async def _request_snapshots(
        self, session: aiohttp.ClientSession, credentials: Credentials, symbols: Sequence[str]
    ) -> tuple[dict[str, msgspec.Raw], ClockReading | None]:
        """Request the snapshots of some symbols, and return them as they are, with the date of the response."""
        clock = asyncio.get_running_loop().time
        headers = {"APCA-API-KEY-ID": credentials.key_id, "APCA-API-SECRET-KEY": credentials.secret_key}
        query = {"symbols": ",".join(symbols), **self._feed}
        try:
            proxy = proxy_for_url(self._url)
        except UnusableVariableError as error:
            raise SnapshotError(str(error)) from None
        is_encrypted = self._url.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        tls = self._credentials_reader.tls_context() or (system_tls_context() if is_encrypted else True)
        sent_at = clock()
        try:
            async with session.get(
                self._url, params=query, ssl=tls, **aiohttp_request_arguments(proxy, self._url, headers)
            ) as answer:
                reading = date_header_reading(
                    answer.headers.get("Date", ""), answer.headers.get("Age", ""), sent_at, clock()
                )
                if answer.status == 407 and proxy is not None:
                    raise SnapshotError(f"{self._name} cannot be reached: {proxy_refusal_text(proxy, 407)}")
                if answer.status != 200:
                    raise _refusal(f"{self._name} answered HTTP {answer.status}{via_proxy(proxy)}", answer)
                body = await answer.read()
            if self._is_crypto:
                return decode_json(body, _CryptoResponse).snapshots, reading
            return decode_json(body, dict[str, msgspec.Raw]), reading
        except msgspec.MsgspecError as error:
            raise SnapshotError(f"the answer of {self._name} cannot be parsed: {error}") from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host name
            said = aiohttp_proxy_error_text(proxy, error) or f"{unreachable_reason(error)}{via_proxy(proxy)}"
            raise SnapshotError(f"{self._name} cannot be reached: {said}") from None


def _refusal(message: str, answer: aiohttp.ClientResponse) -> SnapshotError:
    """Return the error for a response without snapshots. Statuses 429 and 5xx are temporary."""
    wait = answer.headers.get("Retry-After", "")
    return SnapshotError(
        message,
        retry_after=min(float(wait), _RETRY_AFTER_MOST_SECONDS) if wait.isdecimal() else 0.0,
        is_refused=answer.status < 500 and answer.status != 429,
    )


def _market_snapshot(answers: Mapping[str, msgspec.Raw], reading: ClockReading | None) -> MarketSnapshot:
    quotes, trades, cancellations, bars = [], [], [], []
    for symbol, raw in answers.items():
        try:
            found = decode_json(bytes(raw), _Snapshot)
        except msgspec.MsgspecError:
            continue
        if (quote := found.latest_quote) is not None:
            bid, bid_size = normalised_side(quote.bp, quote.bs)
            ask, ask_size = normalised_side(quote.ap, quote.size)
            quotes.append(Quote(symbol=symbol, ts=quote.t, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size))
        bars.extend(_valid_bars(symbol, found.minute_bar))
        if (trade := found.latest_trade) is None or not is_valid_price(trade.p):
            continue
        if not trade.is_revoked:
            trades.append(trade.to_trade(symbol))
        elif trade.i is not None:
            cancellations.append(trade.to_cancellation(symbol, trade.i))
    return MarketSnapshot(tuple(quotes), tuple(trades), tuple(cancellations), tuple(bars), reading)


def _valid_bars(symbol: str, raw: msgspec.Raw) -> list[Bar]:
    """Return the bar of a symbol, if there is one. A malformed bar is left out, and the symbol keeps its quote."""
    try:
        bar = decode_json(bytes(raw), _MinuteBar)
    except msgspec.MsgspecError:
        return []
    return [Bar(symbol=symbol, ts=bar.t, open=bar.o, high=bar.h, low=bar.l, close=bar.c, volume=bar.v)]
