"""What IBKR's messages mean, and what to do about each.

Codes are those of https://interactivebrokers.github.io/tws-api/message_codes.html; a message without a request of ours
is about the connection, one with a request about its symbol.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sluice_contract.ibkr import IBKR
from sluice_contract.status import SymbolRejection

from ...domain.failure import Impairment, StreamError

# The client id's last connection may have to be found dead first, or somebody else has it.
_CLIENT_ID_SECONDS = 5.0
_CLIENT_ID_AT_MOST_SECONDS = 30.0
_WORDS_SHOWN = 300  # of IBKR's: a status holds 20 of them

CLIENT_ID_IN_USE = 326
PORT_CHANGED = 1300
UNKNOWN_SYMBOL = 200
# Of a plan's market data lines: what others give up may be enough.
NO_LINE = 101
# Passes without our doing, and IBKR does not say when.
COMPETING_SESSION = 10197

# 2110 is what a client hears that connects while 1100 is in force.
_LOST = frozenset({1100, 2110})
_RESTORED = frozenset({1101, 1102})
_BROKEN_FARMS = {2103: "market data", 2105: "historical data", 2157: "security definition"}
# Inactive (2107, 2108) is a farm that comes when it is asked for something.
_GOOD_FARMS = {
    2104: "market data",
    2106: "historical data",
    2107: "historical data",
    2108: "market data",
    2158: "security definition",
}

_SUBSCRIBE = "subscribe this login to the market's data, with API use acknowledged, in IBKR's Client Portal"
_REMEDIES = {
    NO_LINE: "this login's market data lines are used up: leave symbols out, or book more lines",
    UNKNOWN_SYMBOL: "no US stock or ETF has this symbol, or more than one: check it",
    354: _SUBSCRIBE,
    10089: _SUBSCRIBE,
    10090: _SUBSCRIBE,
    10091: _SUBSCRIBE,
    10167: f"delayed quotes are not passed on as live ones: {_SUBSCRIBE}",
    10168: _SUBSCRIBE,
    10186: _SUBSCRIBE,
    COMPETING_SESSION: "this login is in use elsewhere: log out there, or use a login of its own for the feed",
}

# "No such request": what a cancellation of a refused subscription is answered with.
_HARMLESS = frozenset({300})


class IBKRTimeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `connect` until the client is ready, `answer` for a batch of requests, `probe` between signs of life.

    `settle`: after a restoration, the next one often follows at once. `retry`: between attempts at a competing session.
    """

    connect: float = 10.0
    answer: float = 10.0
    probe: float = 10.0
    settle: float = 1.0
    retry: float = 60.0


class Outages:
    """What IBKR has said that it cannot bring, and has not taken back."""

    def __init__(self) -> None:
        self._is_lost = False
        self._farms: dict[tuple[str, str], int] = {}

    @property
    def is_lost(self) -> bool:
        """Whether the gateway has no connection to IBKR: no request can be answered."""
        return self._is_lost

    def heard(self, code: int, words: str) -> Literal["worse", "better"] | None:
        """Takes in one message. `better`: subscriptions made before may be dead, whatever IBKR says of them."""
        if code in _LOST or code in _RESTORED:
            self._is_lost = code in _LOST
            return "worse" if self._is_lost else "better"
        farm = words.rpartition(":")[2].strip()
        if code in _BROKEN_FARMS:
            self._farms[_BROKEN_FARMS[code], farm] = code
            return "worse"
        # On connecting, each farm says that it is well: no news.
        if code in _GOOD_FARMS and self._farms.pop((_GOOD_FARMS[code], farm), None) is not None:
            return "better"
        return None

    @property
    def impairment(self) -> Impairment | None:
        """All of it in one sentence."""
        if self._is_lost:
            return Impairment("the gateway has lost its connection to IBKR (code 1100): waiting until it is back", True)
        if not self._farms:
            return None
        farms = ", ".join(f"{kind} ({name}, code {code})" for (kind, name), code in sorted(self._farms.items()))
        quotes = any(kind == "market data" for kind, _ in self._farms)
        also = "quotes may be missing until it is back" if quotes else "quotes go on"
        return Impairment(f"IBKR has lost a part of its service: {farms}; {also}", quotes)


def rejection(symbol: str, code: int, words: str) -> SymbolRejection:
    """Why a symbol is not streamed, and what to do about it."""
    remedy = f" ({_REMEDIES[code]})" if code in _REMEDIES else ""
    return SymbolRejection(symbol=symbol, code=code, message=words[:_WORDS_SHOWN] + remedy)


def rejects(code: int) -> bool:
    """Whether a message about a request says that it is refused. 2100 to 2199 are notices."""
    return not (2100 <= code < 2200 or code in _HARMLESS)


def address(settings: IBKR) -> str:
    """host:port, for people."""
    return f"{settings.host}:{settings.port}"


def end(code: int, words: str, settings: IBKR) -> StreamError | None:
    """The end of the connection that a message announces; None where it announces none."""
    if code == CLIENT_ID_IN_USE:
        return StreamError(
            "connectionLimit",
            f"{address(settings)} has another client with id {settings.client_id} (code {code}): end it, or give this "
            f"job another spec.ibkr.clientID",
            _CLIENT_ID_SECONDS,
            _CLIENT_ID_AT_MOST_SECONDS,
        )
    if code == PORT_CHANGED:
        return StreamError("upstreamClosed", f"{address(settings)} ends its connections: {words} (code {code})")
    return None


def unreachable(settings: IBKR, error: object) -> StreamError:
    """There is nobody to talk to."""
    return StreamError(
        "network",
        f"{address(settings)} cannot be reached ({error}): start the IB Gateway or TWS and log in, and check spec.ibkr",
    )


def unready(settings: IBKR, what: str) -> StreamError:
    """Somebody is there who does not let this client in."""
    return StreamError(
        "network",
        f"{address(settings)} {what}: in its API settings, enable socket clients and trust this pod's address",
    )


def closed(settings: IBKR) -> StreamError:
    """The peer is gone."""
    return StreamError("upstreamClosed", f"{address(settings)} closed the connection: connecting anew")


def silent(settings: IBKR, seconds: float) -> StreamError:
    """The peer is there, and no longer answers."""
    return StreamError("stall", f"{address(settings)} has not answered for {seconds:.0f} s: connecting anew")
