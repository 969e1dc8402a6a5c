"""Failures of streams and sinks, classified by how they can be fixed."""

from __future__ import annotations

import msgspec

from sluice_contract.status import FailureType

# Retrying without a change of credentials or configuration cannot succeed, and vendors may treat it as an attack.
FATAL: frozenset[FailureType] = frozenset({"auth", "entitlement", "configuration", "certificate"})
# A refused login may succeed on the next attempt while the vendor's own systems are not yet consistent.
_LOGIN: frozenset[FailureType] = frozenset({"auth", "entitlement"})


class StreamError(Exception):
    """The provider's stream could not be opened, or has ended.

    `message` is a sentence for the status: what happened and what to do about it, without secrets.
    `retry_after` is the minimum number of seconds before the next attempt, `retry_within` the maximum. After a fatal
    failure, the next attempt is made at the maximum even if the runtime has not detected a fix. `is_certain` is True if
    an immediate attempt cannot succeed, as it may after a refused login.
    """

    def __init__(
        self,
        kind: FailureType,
        message: str,
        retry_after: float = 0.0,
        retry_within: float = float("inf"),
        *,
        is_certain: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind: FailureType = kind
        self.message = message
        self.retry_after = retry_after
        self.retry_within = retry_within
        self.is_certain = is_certain

    @property
    def is_fatal(self) -> bool:
        """Return True if retrying cannot succeed without a change of credentials or configuration."""
        return self.kind in FATAL

    @property
    def is_login_refusal(self) -> bool:
        """Return True if the provider refused the credentials or their entitlement."""
        return self.kind in _LOGIN


class Impairment(msgspec.Struct, frozen=True):
    """A service that the provider reports as missing on an open connection.

    `message` is a sentence for the status. If `interrupts_quotes` is True, quotes are missing, so the stream is not
    live.
    """

    message: str
    interrupts_quotes: bool


class SinkError(Exception):
    """Firestore refused a write or did not answer. Writes are idempotent, so callers retry them.

    `retry_after` is the minimum number of seconds before the next attempt.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class SnapshotError(Exception):
    """A market snapshot is not available. The message is a sentence, without secrets.

    `retry_after` is the minimum number of seconds before the next attempt. `is_refused` is True if the provider refuses
    such requests, so that attempts in short succession are pointless.
    """

    def __init__(self, message: str, retry_after: float = 0.0, *, is_refused: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_refused = is_refused


class FencedError(Exception):
    """A later process of this job writes the heartbeat, so this process must exit."""
