"""Faults of the phases before data: upgrade, welcome, authentication, acknowledgement."""

from collections.abc import Sequence
from typing import Literal

from sluice_simulators.alpaca.faults import Acknowledgement, Exchange, Fault, Upgrade, Verdict
from sluice_simulators.alpaca.messages import Message, error


class HttpError(Fault, frozen=True):
    """The upgrade is refused by an HTTP status (401, 403, 429, 503); `retry_after` in seconds."""

    status: int
    retry_after: int | None = None

    def upgrade(self) -> Upgrade | None:
        """The status, with Retry-After if given."""
        headers = () if self.retry_after is None else (("Retry-After", str(self.retry_after)),)
        return Upgrade(status=self.status, headers=headers)


class ResetOnConnect(Fault, frozen=True):
    """The connection is reset in place of an answer to the upgrade."""

    def upgrade(self) -> Upgrade | None:
        """A reset."""
        return Upgrade(status=0)


class Deflate(Fault, frozen=True):
    """permessage-deflate is accepted or not, whatever the server's own setting."""

    on: bool

    def upgrade(self) -> Upgrade | None:
        """The setting."""
        return Upgrade(deflate=self.on)


class Delay(Fault, frozen=True):
    """The answer of one phase comes late, by `seconds`."""

    phase: Literal["welcome", "auth", "ack"]
    seconds: float

    def delay(self, phase: str) -> float:
        """The seconds, in its phase."""
        return self.seconds if phase == self.phase else 0.0


class NoWelcome(Fault, frozen=True):
    """The upgrade succeeds and nothing is said."""

    def welcome(self) -> Sequence[Message] | None:
        """Nothing."""
        return ()


class WrongWelcome(Fault, frozen=True):
    """The first message is another one: an error's code, or a success with this text."""

    text: str = "welcome"
    code: int | None = None

    def welcome(self) -> Sequence[Message] | None:
        """The wrong message."""
        return ({"T": "success", "msg": self.text},) if self.code is None else (error(self.code),)


class AuthSilence(Fault, frozen=True):
    """Authentication is never answered, and never times out."""

    def auth(self, attempt: int) -> Verdict | None:
        """Silence."""
        return Verdict(None)


class AuthError(Fault, frozen=True):
    """The first `times` attempts on a connection get this error: 402, 404, 406, 409, 411, 500."""

    code: int
    times: int | None = None
    closes: bool = False

    def auth(self, attempt: int) -> Verdict | None:
        """The error, while there are attempts left to refuse."""
        refused = self.times is None or attempt <= self.times
        return Verdict(error(self.code), self.closes) if refused else None


class AckMissing(Fault, frozen=True):
    """The first `times` requests take effect but are not acknowledged."""

    times: int = 1

    def ack(self, exchange: Exchange) -> Acknowledgement | None:
        """Silence."""
        return Acknowledgement(None, exchange.after) if exchange.number <= self.times else None


class AckPartial(Fault, frozen=True):
    """These symbols are left out, of the acknowledgement and of the data, however often they are asked for."""

    without: tuple[str, ...]

    def ack(self, exchange: Exchange) -> Acknowledgement | None:
        """The acknowledgement of the rest."""
        rest = exchange.after.without(frozenset(self.without))
        return Acknowledgement(rest.acknowledgement(), rest)


class AckError(Fault, frozen=True):
    """The first `times` requests are refused whole: 400, 405, 410, 500."""

    code: int
    times: int | None = 1

    def ack(self, exchange: Exchange) -> Acknowledgement | None:
        """The error; subscriptions unchanged."""
        refused = self.times is None or exchange.number <= self.times
        return Acknowledgement(error(self.code), exchange.before) if refused else None


class BadSymbol(Fault, frozen=True):
    """Every request that names the symbol is refused whole, by 400 or 405."""

    symbol: str
    code: int = 400

    def ack(self, exchange: Exchange) -> Acknowledgement | None:
        """The error; subscriptions unchanged."""
        named = self.symbol in exchange.asked
        return Acknowledgement(error(self.code), exchange.before) if named else None
