"""The connection slot: where an upstream allows one connection, one job at a time holds it."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

import msgspec

from sluice_contract.lease import LeaseObservation

# A claim that has not been renewed for this long may be taken by another job.
HELD_SECONDS = 60.0
RENEW_SECONDS = 10.0
_DIGEST_CHARACTERS = 32


class SlotClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim of the connection slot: the job that holds it, or an empty `holder` if the slot is free.

    `version` is the version of the stored claim. A write that names it fails if another job has written since.
    """

    holder: str
    renewed_at: datetime | None = None
    version: str = ""


def is_claimable_by(job: str, observation: LeaseObservation[SlotClaim], now: float) -> bool:
    """Return whether the slot is free or held by `job`, or its holder has not renewed the claim for 60 s."""
    found = observation.record
    return (found is not None and found.holder == job) or observation.is_free(HELD_SECONDS, now)


def key_digest(key_id: str, stream_url: str, cluster: str) -> str:
    """Return a digest of a key and the stream that it opens, by which jobs of one cluster can be compared.

    `cluster` is the UID of the cluster, so digests of two clusters differ.
    """
    text = f"{key_id}\n{stream_url}".encode()
    return hmac.new(cluster.encode(), text, hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]


def slot_lease_name(connection_key: str) -> str:
    """Return the name of the Lease for the connection slot of jobs with this key: see `Provider`.

    The name contains a hash, so that it does not reveal the name of the Secret.
    """
    return f"sluice-slot-{hashlib.sha256(connection_key.encode()).hexdigest()[:20]}"
