"""Faults of the phases before data: upgrade, welcome, authentication and acknowledgement."""

from collections.abc import Sequence
from typing import Literal

from sluice_relay.protocol.messages import Message, error_message
from sluice_simulators.alpaca.faults import AuthAnswer, Fault, SubscriptionAnswer, SubscriptionRequest, UpgradeAnswer


class HttpError(Fault, frozen=True):
    """The server answers the upgrade request with an HTTP status (200, 401, 403, 429, 503) and opens no websocket.

    `retry_after` is in seconds, or an HTTP date. `date` replaces the Date header, as if the server's clock were wrong.
    With status 200 and a `body`, the answer is that of a network's login page; with status 302, `location` redirects to
    one.
    """

    status: int
    retry_after: int | str | None = None
    date: str = ""
    body: str = ""
    content_type: str = "text/html"
    location: str = ""

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """Return the status, the body, and the headers that are set."""
        headers = {
            "Retry-After": "" if self.retry_after is None else str(self.retry_after),
            "Date": self.date,
            "Location": self.location,
            "Content-Type": self.content_type if self.body else "",
        }
        given = tuple((name, value) for name, value in headers.items() if value)
        return UpgradeAnswer(status=self.status, headers=given, body=self.body)


class ResetOnConnect(Fault, frozen=True):
    """The server resets the connection instead of answering the upgrade request."""

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """Return the answer that stands for a reset."""
        return UpgradeAnswer(status=0)


class Deflate(Fault, frozen=True):
    """The server accepts permessage-deflate if `on`, and else refuses it, whatever its own setting is."""

    on: bool

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """Return an answer that completes the upgrade with this setting."""
        return UpgradeAnswer(deflate=self.on)


class Delay(Fault, frozen=True):
    """The server's answer in one phase is late by `seconds`."""

    phase: Literal["welcome", "auth", "ack"]
    seconds: float

    def answer_delay(self, phase: str) -> float:
        """Return `seconds` in this fault's phase, else 0."""
        return self.seconds if phase == self.phase else 0.0


class NoWelcome(Fault, frozen=True):
    """The upgrade succeeds, but the server sends no welcome message."""

    def welcome_messages(self) -> Sequence[Message] | None:
        """Return no messages."""
        return ()


class WrongWelcome(Fault, frozen=True):
    """The first message is not the welcome: it is an error with this code, or a success message with this text."""

    text: str = "welcome"
    code: int | None = None

    def welcome_messages(self) -> Sequence[Message] | None:
        """Return the wrong first message."""
        return ({"T": "success", "msg": self.text},) if self.code is None else (error_message(self.code),)


class ForeignWelcome(Fault, frozen=True):
    """The first frame is no message of Alpaca's: a text frame with `text`, or a binary frame with `data` (hexadecimal).

    No welcome follows.
    """

    text: str = "<!DOCTYPE html><html><title>Log in</title></html>"
    data: str = ""

    def welcome_frame(self) -> bytes | str | None:
        """Return the payload of the frame."""
        return bytes.fromhex(self.data) if self.data else self.text


class TextFrames(Fault, frozen=True):
    """The server sends JSON in text frames, whatever the client requests, like Alpaca's own proxy agent.

    It accepts only text frames, too.
    """

    def uses_text_frames(self) -> bool:
        """Return True."""
        return True


class AuthSilence(Fault, frozen=True):
    """The server never answers an authentication attempt, and its authentication timeout does not apply."""

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """Return the answer that stands for silence."""
        return AuthAnswer(None)


class AuthError(Fault, frozen=True):
    """The first `times` authentication attempts (None: all) get this error: 402, 404, 406, 409, 411 or 500."""

    code: int
    times: int | None = None
    closes: bool = False

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """Return the error for the first `times` attempts, then None."""
        refused = self.times is None or attempt <= self.times
        return AuthAnswer(error_message(self.code), self.closes) if refused else None


class AckMissing(Fault, frozen=True):
    """The first `times` subscription requests take effect, but the server does not acknowledge them."""

    times: int = 1

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Return silence for the first `times` requests, then None."""
        return SubscriptionAnswer(None, request.after) if request.number <= self.times else None


class AckPartial(Fault, frozen=True):
    """The server never subscribes these symbols: their data and their names in acknowledgements are missing."""

    without: tuple[str, ...]

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Return an acknowledgement without these symbols."""
        rest = request.after.without_symbols(frozenset(self.without))
        return SubscriptionAnswer(rest.acknowledgement_message(), rest)


class AckError(Fault, frozen=True):
    """The server refuses each of the first `times` requests as a whole with this code: 400, 405, 410 or 500."""

    code: int
    times: int | None = 1

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Return the error with the old subscription for the first `times` requests, then None."""
        refused = self.times is None or request.number <= self.times
        return SubscriptionAnswer(error_message(self.code), request.before) if refused else None


class BadSymbol(Fault, frozen=True):
    """The server refuses every request that contains the symbol as a whole, with code 400 or 405."""

    symbol: str
    code: int = 400

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Return the error with the old subscription if the request contains the symbol."""
        named = self.symbol in request.asked
        return SubscriptionAnswer(error_message(self.code), request.before) if named else None
