"""Sentences about the one connection that a provider allows for a key or a client ID."""

from __future__ import annotations

from sluice_contract.status import StreamStatus

from .observation import Observation


def held_by_sentence(report: StreamStatus) -> str | None:
    """Return a sentence that names the job with the connection for which this job waits; None if it does not wait."""
    if report.slot is None or report.slot.acquired:
        return None
    return (
        f"Job {report.slot.holder} of this namespace holds the one connection that these credentials and this feed (or "
        f"this client ID) allow: pause that job, or give this job its own credentials or client ID."
    )


def shared_key_sentence(observation: Observation) -> str | None:
    """Return a sentence that another namespace uses the key of this job; None if none does.

    It does not name the other namespace, because that may be another tenant's.
    """
    if not observation.key_is_shared:
        return None
    return (
        "Another namespace uses this key. The provider allows one connection for it, so it refuses that of one of the "
        "namespaces: give this job a key pair of its own, or pause it."
    )
