"""Failures of streams and sinks, classified by how they can be fixed."""

from __future__ import annotations

from typing import Literal

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


# What a failed request to the sink says about others: nothing else can be written now, only the documents of this
# request are affected, or it is not known which.
SinkFailureScope = Literal["database", "documents", "unknown"]


class SinkError(Exception):
    """Firestore refused a write or did not answer. Writes are idempotent, so callers retry them.

    `retry_after` is the minimum number of seconds before the next attempt. `document` is the path of the document, such
    as live_quotes/AAPL, if the request was for one document. If `is_paced` is True, the sink itself limits how often it
    sends requests: callers retry at a constant interval, and most of their attempts cost no request. `is_withheld` is
    True for those attempts.
    """

    def __init__(
        self,
        message: str,
        retry_after: float = 0.0,
        *,
        scope: SinkFailureScope = "database",
        is_paced: bool = False,
        is_withheld: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.scope = scope
        self.is_paced = is_paced
        self.is_withheld = is_withheld
        self.document: str | None = None

    @property
    def message_with_document(self) -> str:
        """The message, after the name of the document if only that document may be affected."""
        return f"{self.document}: {self.message}" if self.document and self.scope != "database" else self.message


class DocumentConflictError(Exception):
    """The heartbeat document has a fresh heartbeat of another job, so this job must write nothing.

    `message` is a sentence for the status. `writer` names the other job. `retry_after` is the number of seconds after
    which this job takes over if the other job stays silent.
    """

    def __init__(self, message: str, writer: str, retry_after: float) -> None:
        super().__init__(message)
        self.message = message
        self.writer = writer
        self.retry_after = retry_after


class UnusableVariableError(ValueError):
    """An environment variable names a proxy or an emulator that cannot be used.

    The message names the variable and says what to write. It contains no password.
    """


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
