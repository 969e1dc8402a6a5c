"""Why a stream or a sink does not work, by what can be done about it."""

from __future__ import annotations

import msgspec

from sluice_contract.status import FailureType

# Trying again without a change of credentials or configuration is pointless, and a vendor may take it for an attack.
FATAL: frozenset[FailureType] = frozenset({"auth", "entitlement", "configuration", "certificate"})
# A login that a vendor refused may be taken the next time, where its own parts do not agree yet.
_LOGIN: frozenset[FailureType] = frozenset({"auth", "entitlement"})


class StreamError(Exception):
    """The provider's stream cannot be had, or has ended.

    `message` is a sentence for the status: what happened and what to do about it, without secrets.
    `retry_after` is the least number of seconds before the next attempt, `retry_within` the most: by this a failure is
    tried again that only a change from outside can help, if that change may be one that cannot be seen from here.
    """

    def __init__(
        self, kind: FailureType, message: str, retry_after: float = 0.0, retry_within: float = float("inf")
    ) -> None:
        super().__init__(message)
        self.kind: FailureType = kind
        self.message = message
        self.retry_after = retry_after
        self.retry_within = retry_within

    @property
    def fatal(self) -> bool:
        """Whether only a change from outside can help."""
        return self.kind in FATAL

    @property
    def is_login(self) -> bool:
        """Whether the provider refused who logged in."""
        return self.kind in _LOGIN


class Impairment(msgspec.Struct, frozen=True):
    """What a connection that is open cannot bring, by the provider's own word.

    `message` is a sentence for the status. `interrupts`: quotes are among it, so the stream is not live.
    """

    message: str
    interrupts: bool


class SinkError(Exception):
    """Firestore did not take a write, or did not say whether it did. Writes are idempotent: they are tried again.

    `retry_after` is the least number of seconds before the next attempt.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class FencedError(Exception):
    """A later incarnation of this job writes. This one has to end."""
