"""Faults of the phases before data: upgrade, welcome, authentication, acknowledgement."""

from collections.abc import Sequence
from typing import Literal

from sluice_simulators.alpaca.faults import AuthAnswer, Fault, SubscriptionAnswer, SubscriptionRequest, UpgradeAnswer
from sluice_simulators.alpaca.messages import Message, error_message


class HttpError(Fault, frozen=True):
    """The upgrade is refused by an HTTP status (401, 403, 429, 503); `retry_after` in seconds."""

    status: int
    retry_after: int | None = None

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """The status, with Retry-After if given."""
        headers = () if self.retry_after is None else (("Retry-After", str(self.retry_after)),)
        return UpgradeAnswer(status=self.status, headers=headers)


class ResetOnConnect(Fault, frozen=True):
    """The connection is reset in place of an answer to the upgrade."""

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """A reset."""
        return UpgradeAnswer(status=0)


class Deflate(Fault, frozen=True):
    """permessage-deflate is accepted or not, whatever the server's own setting."""

    on: bool

    def upgrade_answer(self) -> UpgradeAnswer | None:
        """The setting."""
        return UpgradeAnswer(deflate=self.on)


class Delay(Fault, frozen=True):
    """The answer of one phase comes late, by `seconds`."""

    phase: Literal["welcome", "auth", "ack"]
    seconds: float

    def answer_delay(self, phase: str) -> float:
        """The seconds, in its phase."""
        return self.seconds if phase == self.phase else 0.0


class NoWelcome(Fault, frozen=True):
    """The upgrade succeeds and nothing is said."""

    def welcome_messages(self) -> Sequence[Message] | None:
        """Nothing."""
        return ()


class WrongWelcome(Fault, frozen=True):
    """The first message is another one: an error's code, or a success with this text."""

    text: str = "welcome"
    code: int | None = None

    def welcome_messages(self) -> Sequence[Message] | None:
        """The wrong message."""
        return ({"T": "success", "msg": self.text},) if self.code is None else (error_message(self.code),)


class AuthSilence(Fault, frozen=True):
    """Authentication is never answered, and never times out."""

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """Silence."""
        return AuthAnswer(None)


class AuthError(Fault, frozen=True):
    """The first `times` attempts on a connection get this error: 402, 404, 406, 409, 411, 500."""

    code: int
    times: int | None = None
    closes: bool = False

    def auth_answer(self, attempt: int) -> AuthAnswer | None:
        """The error, while there are attempts left to refuse."""
        refused = self.times is None or attempt <= self.times
        return AuthAnswer(error_message(self.code), self.closes) if refused else None


class AckMissing(Fault, frozen=True):
    """The first `times` requests take effect but are not acknowledged."""

    times: int = 1

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """Silence."""
        return SubscriptionAnswer(None, request.after) if request.number <= self.times else None


class AckPartial(Fault, frozen=True):
    """These symbols are left out, of the acknowledgement and of the data, however often they are asked for."""

    without: tuple[str, ...]

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """The acknowledgement of the rest."""
        rest = request.after.without_symbols(frozenset(self.without))
        return SubscriptionAnswer(rest.acknowledgement_message(), rest)


class AckError(Fault, frozen=True):
    """The first `times` requests are refused whole: 400, 405, 410, 500."""

    code: int
    times: int | None = 1

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """The error; subscriptions unchanged."""
        refused = self.times is None or request.number <= self.times
        return SubscriptionAnswer(error_message(self.code), request.before) if refused else None


class BadSymbol(Fault, frozen=True):
    """Every request that names the symbol is refused whole, by 400 or 405."""

    symbol: str
    code: int = 400

    def subscription_answer(self, request: SubscriptionRequest) -> SubscriptionAnswer | None:
        """The error; subscriptions unchanged."""
        named = self.symbol in request.asked
        return SubscriptionAnswer(error_message(self.code), request.before) if named else None
