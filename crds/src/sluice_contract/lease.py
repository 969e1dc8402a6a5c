"""The Lease of Kubernetes, by which the replicas of the operator or the jobs of one connection agree on one holder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from .base import CamelStruct
from .decoding_errors import explain_decoding_error
from .json_nesting import decode_without_deep_values

LEASE_API_VERSION: Final = "coordination.k8s.io/v1"
_NOT_DECODABLE: Final = "it is not UTF-8 text, or nested too deeply"


class LeaseMetadata(CamelStruct, frozen=True):
    """The part of a Lease's metadata that Sluice reads and writes. An empty `resource_version` is that of a new one."""

    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    owner_references: list[dict[str, Any]] = []  # noqa: RUF012  msgspec copies an empty default


class LeaseSpec(CamelStruct, frozen=True):
    """The holder of a Lease and its times, which are texts in the format of `lease_time_text`."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(CamelStruct, frozen=True):
    """A Lease, as the API server returns it and accepts it."""

    metadata: LeaseMetadata
    spec: LeaseSpec = LeaseSpec()
    api_version: str = ""
    kind: str = ""


class UnreadableLeaseError(ValueError):
    """A Lease has a value that Sluice never writes, such as a time in the year 0. The text says which."""


_decode = msgspec.json.Decoder(Lease).decode


def new_lease(metadata: LeaseMetadata, spec: LeaseSpec) -> Lease:
    """Return a Lease to send to the API server."""
    return Lease(metadata=metadata, spec=spec, api_version=LEASE_API_VERSION, kind="Lease")


def decode_lease(body: bytes) -> Lease:
    """Decode an answer of the API server.

    Raises:
        UnreadableLeaseError: the answer is not a Lease, or a value of it has the wrong type.
    """
    try:
        return decode_without_deep_values(_decode, body)
    except msgspec.MsgspecError as error:
        raise UnreadableLeaseError(str(explain_decoding_error(error))) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableLeaseError(_NOT_DECODABLE) from error


def parse_lease_time(text: str | None) -> datetime | None:
    """Return a time of a Lease, in UTC; None if the Lease has none.

    Raises:
        UnreadableLeaseError: the text is not a time, or Python cannot represent it in UTC.
    """
    if not text:
        return None
    try:
        return msgspec.convert(text, datetime).astimezone(UTC)
    except msgspec.MsgspecError as error:
        raise UnreadableLeaseError(str(explain_decoding_error(error))) from error
    except (OverflowError, ValueError) as error:
        raise UnreadableLeaseError("a time is outside the years 1 to 9999") from error


def lease_time_text(instant: datetime | None) -> str | None:
    """Return a time as the API server requires it in a Lease: in UTC, with microseconds."""
    # strftime does not pad a year below 1000.
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z" if instant else None


class HeldRecord(Protocol):
    """What a process has read of a Lease: at least its holder, which is empty if the Lease was released."""

    @property
    def holder(self) -> str: ...


R = TypeVar("R", bound=HeldRecord)


class LeaseObservation(msgspec.Struct, Generic[R], frozen=True):
    """What a process has last read of a Lease, and when it first read this, in seconds of its own monotonic clock.

    The clocks of two machines are never compared: a Lease expires when a process has seen it unchanged for long enough.
    """

    record: R | None = None
    since: float = 0.0

    def updated_with(self, record: R | None, now: float) -> LeaseObservation[R]:
        """Return this observation if the Lease is unchanged; otherwise a new one from `now`."""
        return self if record == self.record else LeaseObservation(record, now)

    def is_free(self, seconds: float, now: float) -> bool:
        """Return whether the Lease has no holder, or its holder has not renewed it for this many seconds."""
        return self.record is None or not self.record.holder or now >= self.since + seconds
