"""Past trades and bars from Alpaca's REST interface."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.status_values import Instant

from ...adapters.decoding import decode_json
from ...adapters.error_text import redact_url
from ...domain.failure import StreamError
from ...domain.market import Trade, is_valid_price
from ...domain.market_history import HistoryPage, HistoryRequest
from ...history_ports import HistoryError
from .credentials import CredentialsReader
from .rest import DATA_HOST, RestBar, RestUnreachableError, rest_session

_SECONDS = 30.0
_ENTRIES = 10_000  # a page has at most this many
# delayed_sip is the feed sip, sent 15 minutes later: what a gap hides happened then. Past data is that of sip.
_FEEDS = {"delayed_sip": "sip"}
_DELAYS = {"delayed_sip": timedelta(minutes=15)}
_WITHOUT_HISTORY = ("test", "overnight")


class _PastTrade(msgspec.Struct, gc=False):
    t: Instant
    p: float
    s: float = 0.0


class _Answer(msgspec.Struct):
    trades: dict[str, list[_PastTrade]] | None = None
    bars: dict[str, list[RestBar]] | None = None
    next_page_token: str | None = None


class AlpacaHistory:
    """Fetches past trades and bars over REST. No connection stays open, because requests are rare."""

    def __init__(self, settings: AlpacaSettings, credentials_reader: CredentialsReader, host: str | None) -> None:
        """`host` is the base URL; None for Alpaca's own."""
        self._is_crypto = settings.feed == "crypto"
        self._feed = settings.feed
        self._base = f"{host or DATA_HOST}/{'v1beta3/crypto/us' if self._is_crypto else 'v2/stocks'}"
        self._credentials_reader = credentials_reader

    @staticmethod
    def has_history(settings: AlpacaSettings) -> bool:
        """Return True if Alpaca keeps the past trades and bars of the feed."""
        return settings.feed not in _WITHOUT_HISTORY

    async def fetch_page(self, request: HistoryRequest, page: str | None) -> HistoryPage:
        """Return one page. A trade without a valid price is left out."""
        body = await self._request(f"{self._base}/{request.kind}", self._query(request, page))
        try:
            answer = decode_json(body, _Answer)
        except msgspec.MsgspecError as error:
            raise HistoryError(
                f"the answer of {redact_url(self._base)} cannot be parsed: {explain_decoding_error(error)}"
            ) from None
        trades, bars = answer.trades or {}, answer.bars or {}
        return HistoryPage(
            trades=[
                Trade(symbol=symbol, ts=each.t, price=each.p, size=each.s)
                for symbol, entries in trades.items()
                for each in entries
                if is_valid_price(each.p)
            ],
            bars=[each.to_bar(symbol) for symbol, entries in bars.items() for each in entries],
            next_page=answer.next_page_token or None,
        )

    def _query(self, request: HistoryRequest, page: str | None) -> dict[str, str]:
        delay = _DELAYS.get(self._feed, timedelta())
        query = {
            "symbols": ",".join(request.symbols),
            "start": (request.start - delay).isoformat().replace("+00:00", "Z"),
            "end": (request.end - delay).isoformat().replace("+00:00", "Z"),
            "limit": str(_ENTRIES),
        }
        if request.kind == "bars":
            query["timeframe"] = "1Min"
        if not self._is_crypto:
            query["feed"] = _FEEDS.get(self._feed, self._feed)
        return query if page is None else query | {"page_token": page}

    async def _request(self, url: str, query: dict[str, str]) -> bytes:
        credentials = self._credentials_reader.read_credentials_or_none()
        if credentials is None:
            raise HistoryError("there are no credentials for Alpaca; check the key pair")
        try:
            async with rest_session(credentials, self._credentials_reader.tls_context(), _SECONDS) as session:
                answer = await session.get(url, query)
        except StreamError as error:  # the job's own certificates cannot be read
            raise HistoryError(error.message) from None
        except RestUnreachableError as error:
            raise HistoryError(str(error)) from None
        if answer.status != 200:
            raise HistoryError(answer.refusal, answer.status in (401, 403))
        return answer.body
