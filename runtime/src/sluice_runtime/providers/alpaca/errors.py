"""Alpaca's error codes as StreamErrors, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from sluice_contract.redirects import is_redirect, redirect_text
from sluice_contract.status import FailureType

from ...adapters.error_text import unreachable_reason
from ...domain.failure import StreamError
from .messages import ErrorMessage, Message

# Alpaca frees the slot of an uncleanly dropped connection after about 90 s.
_SLOT_SECONDS = 5.0
_SLOT_AT_MOST_SECONDS = 30.0
# After refusals for this long, the cause is not this pod's own last connection.
_ELSEWHERE_SECONDS = 180.0
_TOO_MANY_REQUESTS_SECONDS = 30.0
_LONGEST_SECONDS = 3600.0
_FIRST_ERROR_STATUS = 400
# An expired certificate is renewed by the server's owner. Retrying is harmless, because no login was sent.
_UNTRUSTED_SECONDS = 120.0
_NO_LOGIN_PAGE = "that no login page of the network answers in its place"

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
        "Alpaca refuses the credentials",
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
_UNKNOWN: tuple[FailureType, str, float] = (
    "network",
    "Alpaca reports an error; see the codes in the documentation of Alpaca's stream",
    0.0,
)
_REJECTIONS = {
    400: "Alpaca does not know the symbol; correct its spelling, or remove it",
    SYMBOL_LIMIT: "symbol limit exceeded",
    410: "this feed does not have a channel of spec.channels; remove the channel, or choose another feed",
}


class UntrustedCertificateError(StreamError):
    """The certificate of the server is not trusted."""


class Remedies(NamedTuple):
    """What to do about refused credentials and an untrusted certificate, as clauses."""

    for_credentials: str
    for_certificate: str


def error_of_message(message: Message) -> StreamError:
    """Return the StreamError for an error message, or for a message of an unexpected kind."""
    if not isinstance(message, ErrorMessage):
        return StreamError("network", f"Alpaca sent an unexpected {type(message).__name__}; reconnecting")
    kind, sentence, wait = _REFUSALS.get(message.code, _UNKNOWN)
    return StreamError(kind, f"{sentence} (code {message.code})", wait)


def rejection_text(code: int) -> str:
    """Return why Alpaca rejects a subscription. The server's own words are not quoted, see `foreign_content`."""
    return _REJECTIONS.get(code, "Alpaca rejects the subscription")


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


def upgrade_refused_error(status: int, headers: Mapping[str, str], url: str, content: str = "") -> StreamError:
    """Return the StreamError for an HTTP response that refuses the websocket upgrade.

    `headers` are those of the response, whatever their letter case. `content` describes the body; empty for no body.
    """
    known = {name.lower(): value for name, value in headers.items()}
    wait = retry_after_seconds(known.get("retry-after", ""), known.get("date", ""))
    body = f" with {content}" if content else ""
    if is_redirect(status):
        sentence = f"{url} {redirect_text(status)}; set spec.alpaca.streamURL to the final address"
        return StreamError("network", f"{sentence}, and check {_NO_LOGIN_PAGE}", wait)
    if status in (401, 403):
        return StreamError("auth", f"{url} refuses the credentials (HTTP {status})")
    if status == 429:
        wait = max(_TOO_MANY_REQUESTS_SECONDS, wait)
        return StreamError("network", f"{url} reports too many requests (HTTP 429)", wait)
    if status < _FIRST_ERROR_STATUS:
        return StreamError(
            "network",
            f"{url} answered HTTP {status}{body} and opened no websocket; this is not a market data stream: check "
            f"spec.alpaca.streamURL, and {_NO_LOGIN_PAGE}",
            wait,
        )
    return StreamError("network", f"{url} refused the upgrade (HTTP {status}){body}", wait)


def retry_after_seconds(header: str, response_date: str) -> float:
    """Return the seconds of a Retry-After header, from 0 to an hour; 0 if it is neither a number nor a date.

    A date is compared with the response's own Date header: the server has set both, and this machine's clock may be
    wrong. Without a Date header, it is compared with this machine's clock.
    """
    header = header.strip()
    if header.isascii() and header.isdecimal() and len(header) < 10:
        return min(float(header), _LONGEST_SECONDS)
    at = _parse_http_date(header)
    if at is None:
        return 0.0
    seconds = (at - (_parse_http_date(response_date) or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_SECONDS)


def _parse_http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP date in any of its three formats (RFC 9110, section 5.6.7); None for other text."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def unreachable_error(url: str, error: Exception, via: str = "") -> StreamError:
    """Return the StreamError for a server that cannot be reached. `via` names the proxy, see `via_proxy`."""
    return StreamError("network", f"{url} cannot be reached{via}: {unreachable_reason(error)}")


def untrusted_certificate_error(url: str, error: object) -> UntrustedCertificateError:
    """Return the StreamError for a certificate that is not trusted."""
    return UntrustedCertificateError(
        "certificate",
        f"the certificate of {url} is not trusted ({error}); if the server is at fault, the stream starts by itself "
        f"once that is fixed",
        retry_within=_UNTRUSTED_SECONDS,
    )


def with_remedy(error: StreamError, remedies: Remedies) -> StreamError:
    """Return the error with what to do about credentials or a certificate at the place where they come from.

    Other errors already say what to do, and are returned unchanged.
    """
    if error.kind == "auth":
        remedy = remedies.for_credentials
    elif isinstance(error, UntrustedCertificateError):
        remedy = remedies.for_certificate
    else:
        return error
    return StreamError(
        error.kind,
        f"{error.message}; {remedy}",
        error.retry_after,
        error.retry_within,
        is_certain=error.is_certain,
    )
