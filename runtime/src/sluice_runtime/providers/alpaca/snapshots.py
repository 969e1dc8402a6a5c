"""Market snapshots from Alpaca's REST interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.status_values import Instant

from ...adapters.decoding import decode_json
from ...adapters.error_text import redact_url
from ...domain.batches import batches
from ...domain.clock_skew import ClockReading
from ...domain.failure import SnapshotError, StreamError
from ...domain.market import Bar, Quote, Trade, TradeCancellation, is_valid_price, normalised_side
from ...domain.market_snapshot import MarketSnapshot
from .credentials import CredentialsReader
from .rest import DATA_HOST, RestBar, RestResponse, RestUnreachableError, rest_session
from .trade_conditions import SaleConditions, rule_of_conditions

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


class _Snapshot(msgspec.Struct, gc=False, rename="camel"):
    latest_quote: _Quote | None = None
    latest_trade: _Trade | None = None
    minute_bar: msgspec.Raw = msgspec.Raw(b"null")


class _CryptoResponse(msgspec.Struct):
    snapshots: dict[str, msgspec.Raw]


class AlpacaSnapshots:
    """Fetches market snapshots over REST. No connection stays open, because requests are rare."""

    def __init__(self, settings: AlpacaSettings, credentials_reader: CredentialsReader, host: str = DATA_HOST) -> None:
        self._is_crypto = settings.feed == "crypto"
        self._url = f"{host}/{'v1beta3/crypto/us' if self._is_crypto else 'v2/stocks'}/snapshots"
        self._feed = {} if self._is_crypto else {"feed": settings.feed}
        self._name = redact_url(self._url)
        self._credentials_reader = credentials_reader

    async def fetch_latest_quotes_and_trades(self, symbols: Sequence[str]) -> MarketSnapshot:
        """Return the newest quotes and trades of `symbols`. A symbol with a malformed answer is left out."""
        credentials = self._credentials_reader.read_credentials_or_none()
        if credentials is None:
            raise SnapshotError("there is no key pair for Alpaca yet")
        found: dict[str, msgspec.Raw] = {}
        reading: ClockReading | None = None
        try:
            async with rest_session(credentials, self._credentials_reader.tls_context(), _SECONDS) as session:
                for some in batches(symbols, _SYMBOLS):
                    answer = await session.get(self._url, {"symbols": ",".join(some), **self._feed})
                    found |= self._snapshots_in(answer)
                    reading = answer.clock_reading
        except StreamError as error:  # the job's own certificates cannot be read
            raise SnapshotError(error.message) from None
        except RestUnreachableError as error:
            raise SnapshotError(str(error)) from None
        return _market_snapshot(found, reading)

    def _snapshots_in(self, answer: RestResponse) -> dict[str, msgspec.Raw]:
        """Return the snapshots in a response as they are. A response with status 429 or 5xx is a temporary failure."""
        if answer.status != 200:
            wait = min(answer.retry_after, _RETRY_AFTER_MOST_SECONDS)
            is_refused = answer.status < 500 and answer.status != 429
            raise SnapshotError(answer.refusal, retry_after=wait, is_refused=is_refused)
        try:
            if self._is_crypto:
                return decode_json(answer.body, _CryptoResponse).snapshots
            return decode_json(answer.body, dict[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            raise SnapshotError(
                f"the answer of {self._name} cannot be parsed: {explain_decoding_error(error)}"
            ) from None


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
        return [decode_json(bytes(raw), RestBar).to_bar(symbol)]
    except msgspec.MsgspecError:
        return []
