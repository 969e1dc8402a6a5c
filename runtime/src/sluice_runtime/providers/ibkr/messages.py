"""IBKR's message codes, each with its meaning and what to do.

The codes are documented at https://interactivebrokers.github.io/tws-api/message_codes.html. A message without a request
is about the connection; a message with a request is about its symbol.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from sluice_contract.ibkr import IBKRSettings
from sluice_contract.symbol_counts import SymbolRejection

from ...adapters.error_text import system_error_text
from ...domain.failure import Impairment, StreamError

# The gateway may first have to detect that the last connection of this client ID is dead.
_CLIENT_ID_SECONDS = 5.0
_CLIENT_ID_AT_MOST_SECONDS = 30.0
_SYMBOLS_SHOWN = 20  # in one message
# After this long, a login without a subscription tries again: IBKR does not report that it has been booked.
_ENTITLEMENT_SECONDS = 300.0
_WORDS_SHOWN = 300  # of IBKR's text: a status holds 20 rejections

CLIENT_ID_IN_USE = 326
PORT_CHANGED = 1300
UNKNOWN_SYMBOL = 200
# No free market data line in the plan: unsubscribing other symbols may free one.
NO_LINE = 101
# Ends by itself, and IBKR does not report when.
COMPETING_SESSION = 10197
# IBKR sends delayed data in place of live data. It also says so by a market data type of its own.
DELAYED = 10167
DELAYED_TEXT = "IBKR sends only delayed data (market data type 3)"

# A client that connects while 1100 is in force receives 2110.
_LOST = frozenset({1100, 2110})
_RESTORED = frozenset({1101, 1102})
_BROKEN_FARMS = {2103: "market data", 2105: "historical data", 2157: "security definition"}
# An inactive farm (2107, 2108) connects on the next request.
_GOOD_FARMS = {
    2104: "market data",
    2106: "historical data",
    2107: "historical data",
    2108: "market data",
    2158: "security definition",
}

_SUBSCRIBE = "subscribe this login to the market's data, with API use acknowledged, in IBKR's Client Portal"
_REMEDIES = {
    NO_LINE: "this login's market data lines are used up; remove symbols, or book more lines",
    UNKNOWN_SYMBOL: "no US stock or ETF has this symbol, or more than one has it; check it",
    354: _SUBSCRIBE,
    10089: _SUBSCRIBE,
    10090: _SUBSCRIBE,
    10091: _SUBSCRIBE,
    DELAYED: f"delayed quotes are not passed on as live ones; {_SUBSCRIBE}",
    10168: _SUBSCRIBE,
    10186: _SUBSCRIBE,
    COMPETING_SESSION: "this login is in use elsewhere; log out there, or use a separate login for the feed",
}

# "No such request" is the answer to cancelling a refused subscription.
_HARMLESS = frozenset({300})


class IBKRTimeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Timeouts in seconds: `connect` until the client is ready, `answer` per batch of requests, `probe` between probes.

    `settle` is the wait after a restoration, because the next one often follows immediately. `retry` is the time
    between attempts to resubscribe during a competing session.
    """

    connect: float = 10.0
    answer: float = 10.0
    probe: float = 10.0
    settle: float = 1.0
    retry: float = 60.0


class Outages:
    """The outages that IBKR has reported and whose end it has not reported."""

    def __init__(self) -> None:
        self._is_lost = False
        self._farms: dict[tuple[str, str], int] = {}

    @property
    def is_lost(self) -> bool:
        """True while the gateway has no connection to IBKR, so that requests get no answer."""
        return self._is_lost

    def apply_message(self, code: int, words: str) -> Literal["worse", "better"] | None:
        """Apply one message, and return whether the outages have become worse or better; None if they have not changed.

        When they become better, earlier subscriptions may be dead, whatever IBKR reports.
        """
        if code in _LOST or code in _RESTORED:
            self._is_lost = code in _LOST
            return "worse" if self._is_lost else "better"
        farm = words.rpartition(":")[2].strip()
        if code in _BROKEN_FARMS:
            self._farms[_BROKEN_FARMS[code], farm] = code
            return "worse"
        # On connecting, each farm reports that it is available, which is not a change.
        if code in _GOOD_FARMS and self._farms.pop((_GOOD_FARMS[code], farm), None) is not None:
            return "better"
        return None

    @property
    def impairment(self) -> Impairment | None:
        """The impairment with all outages in one sentence; None if there are none."""
        if self._is_lost:
            return Impairment("the gateway has lost its connection to IBKR (code 1100); waiting until it is back", True)
        if not self._farms:
            return None
        farms = ", ".join(f"{kind} ({name}, code {code})" for (kind, name), code in sorted(self._farms.items()))
        quotes = any(kind == "market data" for kind, _ in self._farms)
        also = "quotes may be missing until it is back" if quotes else "quotes continue"
        return Impairment(f"IBKR has lost a part of its service: {farms}; {also}", quotes)


def is_delayed(market_data_type: int) -> bool:
    """Return True for market data type 3 (delayed) and 4 (the last delayed value of a closed market)."""
    return market_data_type in (3, 4)


def delayed_data_error(symbols: Collection[str]) -> StreamError:
    """Return the StreamError for a login that gets only delayed data, of all these symbols."""
    return StreamError(
        "entitlement",
        f"IBKR sends only delayed data (market data type 3) for {', '.join(sorted(symbols)[:_SYMBOLS_SHOWN])}"
        f"{' and others' if len(symbols) > _SYMBOLS_SHOWN else ''}; {_REMEDIES[DELAYED]}",
        retry_within=_ENTITLEMENT_SECONDS,
        is_certain=True,
    )


def symbol_rejection(symbol: str, code: int, words: str) -> SymbolRejection:
    """Return the rejection of a symbol, with IBKR's text and what to do."""
    remedy = f" ({_REMEDIES[code]})" if code in _REMEDIES else ""
    return SymbolRejection(symbol=symbol, code=code, message=words[:_WORDS_SHOWN] + remedy)


def is_refusal_code(code: int) -> bool:
    """Return True if the code of a message about a request is a refusal.

    Not refusals: the notices 2100 to 2199, and 300, the answer to cancelling a refused subscription.
    """
    return not (2100 <= code < 2200 or code in _HARMLESS)


def gateway_address(settings: IBKRSettings) -> str:
    """Return the gateway's host:port, for messages."""
    return f"{settings.host}:{settings.port}"


def connection_end_error(code: int, words: str, settings: IBKRSettings) -> StreamError | None:
    """Return the StreamError for a message that announces the end of the connection; None for any other message."""
    if code == CLIENT_ID_IN_USE:
        return StreamError(
            "connectionLimit",
            f"{gateway_address(settings)} has another client with ID {settings.client_id} (code {code}); stop it, or "
            f"give this job another spec.ibkr.clientID",
            _CLIENT_ID_SECONDS,
            _CLIENT_ID_AT_MOST_SECONDS,
        )
    if code == PORT_CHANGED:
        return StreamError(
            "upstreamClosed", f"{gateway_address(settings)} closes its connections: {words} (code {code})"
        )
    return None


def unreachable_error(settings: IBKRSettings, error: BaseException) -> StreamError:
    """Return the StreamError for a gateway that cannot be reached."""
    return StreamError(
        "network",
        f"{gateway_address(settings)} cannot be reached ({system_error_text(error)}); start the IB Gateway or TWS and "
        f"log in, and check spec.ibkr",
    )


def not_ready_error(settings: IBKRSettings, what: str) -> StreamError:
    """Return the StreamError for a gateway that does not accept this client. `what` says what it does."""
    return StreamError(
        "network",
        f"{gateway_address(settings)} {what}; in its API settings, enable socket clients and trust this address",
    )


def connection_closed_error(settings: IBKRSettings) -> StreamError:
    """Return the StreamError for a connection that the gateway closed."""
    return StreamError("upstreamClosed", f"{gateway_address(settings)} closed the connection; reconnecting")


def no_answer_error(settings: IBKRSettings, seconds: float) -> StreamError:
    """Return the StreamError for a gateway that has not answered for `seconds`."""
    return StreamError("stall", f"{gateway_address(settings)} has not answered for {seconds:.0f} s; reconnecting")
