"""Messages of Alpaca's market-data stream, as the maps that the server encodes (`T` first, `t` last).

Source: docs.alpaca.markets, "Streaming market data" and "Real-time stock pricing data".
"""

import time

from msgpack import Timestamp

Message = dict[str, object]

ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    411: "insufficient scope",
    500: "internal error",
}
# The headers of an upgrade or HTTP request in which a client may send its key pair.
KEY_HEADER = "APCA-API-KEY-ID"
SECRET_HEADER = "APCA-API-SECRET-KEY"  # noqa: S105  the name of a header
CONNECTED = "connected"
AUTHENTICATED = "authenticated"


class ProtocolError(Exception):
    """The server answers a client's message with an error; `code` is the documented error code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {ERRORS[code]}")
        self.code = code


def success_message(text: str) -> Message:
    """Return a control message whose text is `connected` or `authenticated`."""
    return {"T": "success", "msg": text}


def error_message(code: int) -> Message:
    """Return the documented error message with this code."""
    return {"T": "error", "code": code, "msg": ERRORS[code]}


def timestamp(nanoseconds: int) -> Timestamp:
    """Convert a Unix time in nanoseconds to a MessagePack timestamp."""
    return Timestamp.from_unix_nano(nanoseconds)


def now() -> Timestamp:
    """Return the wall clock as a MessagePack timestamp."""
    return timestamp(time.time_ns())


def status_message(symbol: str, code: str, reason: str = "") -> Message:
    """Return a trading-status message of tape C, stamped now; `code` is for example H (halted) or T (resumed)."""
    return {"T": "s", "S": symbol, "sc": code, "sm": "", "rc": reason, "rm": "", "z": "C", "t": now()}


def bar_message(symbol: str, close: float, volume: int = 1000) -> Message:
    """Return the message of a minute bar that ends now; prices are in dollars."""
    prices = {"o": close - 0.5, "h": close + 0.5, "l": close - 1.0, "c": close}
    return {"T": "b", "S": symbol, **prices, "v": volume, "n": 10, "vw": close, "t": now()}
