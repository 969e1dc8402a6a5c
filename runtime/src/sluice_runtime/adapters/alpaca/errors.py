"""Alpaca's error codes as StreamErrors, each with what to do."""

from __future__ import annotations

from sluice_contract.status import FailureType

from ...domain.failure import StreamError
from ..error_text import unreachable_reason
from .messages import ErrorMessage, Message

# Alpaca frees the slot of an uncleanly dropped connection after about 90 s.
_SLOT_SECONDS = 5.0
_SLOT_AT_MOST_SECONDS = 30.0
# After refusals for this long, the cause is not this pod's own last connection.
_ELSEWHERE_SECONDS = 180.0
_TOO_MANY_REQUESTS_SECONDS = 30.0
_LONGEST_SECONDS = 3600.0
# An expired certificate is renewed by the server's owner. Retrying is harmless, because no login was sent.
_UNTRUSTED_SECONDS = 120.0

# Answers to a subscribe or unsubscribe: the connection and earlier subscriptions stay.
OF_A_SUBSCRIPTION = frozenset({400, 405, 410})
# The ones of these that can be fixed by leaving out a symbol.
SYMBOL_LIMIT = 405
OF_A_SYMBOL = frozenset({400, SYMBOL_LIMIT})
NOT_ENTITLED = frozenset({409})
# The answer to a repeated login: nothing has changed.
HARMLESS = frozenset({403})

_REFUSALS: dict[int, tuple[FailureType, str, float]] = {
    401: ("auth", "Alpaca reports that the login is missing", 0.0),
    402: (
        "auth",
        "Alpaca refuses the credentials; check the key pair in the Secret (without a cluster: in the environment), and "
        "that it belongs to this account",
        0.0,
    ),
    404: ("network", "Alpaca reports that the login came too late", 0.0),
    406: (
        "connectionLimit",
        "Alpaca allows no further connection with this key: another client uses it, or its last connection was cut "
        "less than 90 s ago",
        _SLOT_SECONDS,
    ),
    407: ("slowClient", "Alpaca dropped the connection because this client read too slowly", 0.0),
    409: ("entitlement", "this Alpaca account's plan does not include the feed; choose another spec.alpaca.feed", 0.0),
    411: ("entitlement", "this Alpaca key may not read market data; grant it the scope, or use another key", 0.0),
    500: ("network", "Alpaca reports an internal error", 0.0),
}


def error_of_message(message: Message) -> StreamError:
    """Return the StreamError for an error message, or for a message of an unexpected kind."""
    if not isinstance(message, ErrorMessage):
        return StreamError("network", f"Alpaca sent an unexpected {type(message).__name__}; reconnecting")
    kind, sentence, wait = _REFUSALS.get(message.code, ("network", "Alpaca reports an error", 0.0))
    return StreamError(kind, f"{sentence} (code {message.code}: {message.msg})", wait)


class ConnectionLimitTracker:
    """Tracks for how long Alpaca has refused logins because the key has too many connections."""

    def __init__(self) -> None:
        self._since: float | None = None

    def record_and_explain_login_error(self, error: StreamError, at: float) -> StreamError:
        """Record a failed login at the monotonic time `at`, and return the error to raise.

        If the connection limit has been the reason for three minutes, the message says that the key is used elsewhere.
        Other errors are returned unchanged.
        """
        if error.kind != "connectionLimit":
            return error
        self._since = at if self._since is None else self._since
        minutes = int((at - self._since) // 60)
        if at - self._since < _ELSEWHERE_SECONDS:
            return StreamError(error.kind, error.message, error.retry_after, _SLOT_AT_MOST_SECONDS)
        return StreamError(
            error.kind,
            f"this key is used elsewhere: for {minutes} minutes Alpaca has allowed no further connection with it (code "
            f"406); stop the other client, or give this job its own key",
            error.retry_after,
            _SLOT_AT_MOST_SECONDS,
        )

    def record_login_success(self) -> None:
        """Record that Alpaca accepted the key."""
        self._since = None


def upgrade_refused_error(status: int, retry_after: str, url: str) -> StreamError:
    """Return the StreamError for an HTTP response that refuses the websocket upgrade.

    `retry_after` is the value of the header Retry-After, or empty.
    """
    if status in (401, 403):
        return StreamError("auth", f"{url} refuses the credentials (HTTP {status}); check the Secret's key pair")
    if status == 429:
        wait = max(_TOO_MANY_REQUESTS_SECONDS, _retry_after_seconds(retry_after))
        return StreamError("network", f"{url} reports too many requests (HTTP 429)", wait)
    return StreamError("network", f"{url} refused the upgrade (HTTP {status})")


def _retry_after_seconds(header: str) -> float:
    """Return the seconds of a Retry-After header, at most an hour; 0 if the header is not a number."""
    is_number = header.isascii() and header.isdecimal() and len(header) < 10
    return min(float(header), _LONGEST_SECONDS) if is_number else 0.0


def unreachable_error(url: str, error: Exception) -> StreamError:
    """Return the StreamError for a server that cannot be reached."""
    return StreamError("network", f"{url} cannot be reached: {unreachable_reason(error)}")


def untrusted_certificate_error(url: str, error: object) -> StreamError:
    """Return the StreamError for a certificate that is not trusted."""
    return StreamError(
        "certificate",
        f"the certificate of {url} is not trusted ({error}); name its CA in spec.alpaca.caConfigMapRef, or without a "
        f"cluster in SSL_CERT_FILE; if the server is at fault, the stream starts by itself once that is fixed",
        retry_within=_UNTRUSTED_SECONDS,
    )
