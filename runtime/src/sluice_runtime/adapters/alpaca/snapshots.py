"""Market snapshots from Alpaca's REST interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp
import msgspec

from sluice_contract.alpaca import Alpaca
from sluice_contract.status import Instant

from ...domain.batches import batches
from ...domain.market import Quote, Trade, is_price, normalised_side
from ...domain.market_snapshot import MarketSnapshot
from ...ports import SnapshotError
from ..decoding import decoded
from ..error_text import no_way, shown
from .credentials import AlpacaMount, Credentials
from .websocket import machine_trust

HOST = "https://data.alpaca.markets"

# Symbols per request: with more, the URL would be too long for some proxies.
_SYMBOLS = 200
_SECONDS = 10.0


class _Quote(msgspec.Struct, gc=False):
    t: Instant
    bp: float = 0.0
    bs: float = 0.0
    ap: float = 0.0
    size: float = msgspec.field(default=0.0, name="as")


class _Trade(msgspec.Struct, gc=False):
    t: Instant
    p: float
    s: float = 0.0


class _Snapshot(msgspec.Struct, gc=False, rename="camel"):
    latest_quote: _Quote | None = None
    latest_trade: _Trade | None = None


class _Crypto(msgspec.Struct):
    snapshots: dict[str, msgspec.Raw]


class AlpacaSnapshots:
    """Fetches snapshots. Keeps no connection open, because requests are rare."""

    def __init__(self, settings: Alpaca, mount: AlpacaMount, host: str = HOST) -> None:
        self._is_crypto = settings.feed == "crypto"
        self._url = f"{host}/{'v1beta3/crypto/us' if self._is_crypto else 'v2/stocks'}/snapshots"
        self._feed = {} if self._is_crypto else {"feed": settings.feed}
        self._name = shown(self._url)
        self._mount = mount

    async def latest(self, symbols: Sequence[str]) -> MarketSnapshot:
        """Return the newest quotes and trades. A symbol with a malformed answer is left out."""
        credentials = self._mount.current()
        if credentials is None:
            raise SnapshotError("there are no credentials for Alpaca; check the Secret")
        found: dict[str, msgspec.Raw] = {}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session:
            for some in batches(symbols, _SYMBOLS):
                found |= await self._ask(session, credentials, some)
        return _latest(found)

    async def _ask(
        self, session: aiohttp.ClientSession, credentials: Credentials, symbols: Sequence[str]
    ) -> dict[str, msgspec.Raw]:
        headers = {"APCA-API-KEY-ID": credentials.key_id, "APCA-API-SECRET-KEY": credentials.secret_key}
        query = {"symbols": ",".join(symbols), **self._feed}
        tls = self._mount.tls() or (machine_trust() if self._url.startswith("https:") else True)
        try:
            async with session.get(self._url, params=query, headers=headers, ssl=tls) as answer:
                if answer.status != 200:
                    raise SnapshotError(f"{self._name} answered HTTP {answer.status}")
                body = await answer.read()
            if self._is_crypto:
                return decoded(body, _Crypto).snapshots
            return decoded(body, dict[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            raise SnapshotError(f"the answer of {self._name} cannot be parsed: {error}") from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host name
            raise SnapshotError(f"{self._name} cannot be reached: {no_way(error)}") from None


def _latest(answers: Mapping[str, msgspec.Raw]) -> MarketSnapshot:
    quotes, trades = [], []
    for symbol, raw in answers.items():
        try:
            found = decoded(bytes(raw), _Snapshot)
        except msgspec.MsgspecError:
            continue
        if (quote := found.latest_quote) is not None:
            bid, bid_size = normalised_side(quote.bp, quote.bs)
            ask, ask_size = normalised_side(quote.ap, quote.size)
            quotes.append(Quote(symbol=symbol, ts=quote.t, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size))
        if (trade := found.latest_trade) is not None and is_price(trade.p):
            trades.append(Trade(symbol=symbol, ts=trade.t, price=trade.p, size=trade.s))
    return MarketSnapshot(tuple(quotes), tuple(trades))
