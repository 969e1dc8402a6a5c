"""What Alpaca's refusals mean, and what to do about each."""

from __future__ import annotations

import aiohttp

from sluice_contract.status import FailureType

from ..domain.failure import StreamError
from .alpaca_messages import ErrorMessage, Message

# Alpaca frees the slot of a connection that was dropped uncleanly after about 90 s.
_SLOT_SECONDS = 5.0
_TOO_MANY_REQUESTS_SECONDS = 30.0

# Answers to a subscribe or unsubscribe: the connection stays, and so does what was subscribed before.
OF_A_SUBSCRIPTION = frozenset({400, 405, 410})

_REFUSALS: dict[int, tuple[FailureType, str, float]] = {
    401: ("auth", "Alpaca says that the login is missing", 0.0),
    402: (
        "auth",
        "Alpaca refuses the credentials: check the key pair in the Secret, and that it is of this account",
        0.0,
    ),
    404: ("network", "Alpaca says that the login came too late", 0.0),
    406: (
        "connectionLimit",
        "Alpaca allows no further connection with this key: another client uses it, or its last connection was cut "
        "less than 90 s ago",
        _SLOT_SECONDS,
    ),
    407: ("slowClient", "Alpaca dropped the connection because this client read too slowly", 0.0),
    409: ("entitlement", "this Alpaca account's plan does not include the feed: choose another spec.alpaca.feed", 0.0),
    411: ("entitlement", "this Alpaca key may not read market data: give it the scope, or use another", 0.0),
    500: ("network", "Alpaca reports an internal error", 0.0),
}


def refusal(message: Message) -> StreamError:
    """Why a message is not the one that was waited for."""
    if not isinstance(message, ErrorMessage):
        return StreamError("network", f"Alpaca sent {type(message).__name__} out of turn: connecting anew")
    kind, sentence, wait = _REFUSALS.get(message.code, ("network", "Alpaca reports an error", 0.0))
    return StreamError(kind, f"{sentence} (code {message.code}: {message.msg})", wait)


def refused_upgrade(error: aiohttp.WSServerHandshakeError, url: str) -> StreamError:
    """Why the upgrade was answered by an HTTP status."""
    if error.status in (401, 403):
        return StreamError("auth", f"{url} refuses the credentials (HTTP {error.status}): check the Secret's key pair")
    if error.status == 429:
        after = error.headers.get("Retry-After", "") if error.headers else ""
        wait = max(_TOO_MANY_REQUESTS_SECONDS, float(after) if after.isdigit() else 0.0)
        return StreamError("network", f"{url} says that there were too many requests (HTTP 429)", wait)
    return StreamError("network", f"{url} refused the upgrade (HTTP {error.status})")
