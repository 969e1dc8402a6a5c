"""The keys with which jobs hold connections, and the namespaces that use one key.

A provider allows one connection for a key. Within a namespace, a Lease lets one job have it; across namespaces, nothing
does, and the provider refuses the second connection. A pod reports a digest of its key, so that the operator can tell
both tenants. It is only a warning: a pod can report any digest, so nothing is stopped because of it.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec

from .objects import Job, Key, Pod


class KeyClaimChange(msgspec.Struct, frozen=True):
    """The effect of a changed claim.

    `affected` has a job whose namespace begins to share its key, and one whose namespace ceases to. Other jobs of these
    namespaces follow with their next report. `sharing` has one job of each of the first ten namespaces that use the
    key, if the job has brought a further namespace to it; otherwise it is empty.
    """

    affected: frozenset[Key] = frozenset()
    sharing: tuple[Key, ...] = ()


_MOST_NAMESPACES: Final = 10
_NO_CHANGE: Final = KeyClaimChange()


def claimed_key_digest(job: Job | None, pod: Pod | None) -> str | None:
    """Return the digest of the key with which the job's current pod holds a connection slot; None if it holds none."""
    report = job.status.stream if job is not None else None
    if report is None or pod is None or report.pod_uid != pod.metadata.uid or report.slot is None:
        return None
    return report.slot.key_digest or None if report.slot.acquired else None


class KeyClaims:
    """The keys that jobs use, indexed by digest. A change costs the same however many jobs use the key."""

    def __init__(self) -> None:
        self._digests: dict[Key, str] = {}
        # For each digest, the jobs that use it by namespace. They are dictionaries, because these have an order.
        self._jobs: dict[str, dict[str, dict[Key, None]]] = {}
        self._shared: dict[str, None] = {}

    def replace_claim(self, key: Key, digest: str | None) -> KeyClaimChange:
        """Replace the key that a job uses; None removes it."""
        before = self._digests.get(key)
        if digest == before:
            return _NO_CHANGE
        left = self._remove(key, before) if before is not None else frozenset()
        if digest is None:
            return KeyClaimChange(affected=left)
        added = self._add(key, digest)
        return KeyClaimChange(affected=left | added.affected, sharing=added.sharing)

    def is_shared(self, key: Key) -> bool:
        """Return whether another namespace uses the key of this job."""
        return self._digests.get(key, "") in self._shared

    def shared_keys(self) -> dict[str, tuple[str, ...]]:
        """Return the namespaces that use each key that several namespaces use, by digest."""
        return {digest: tuple(sorted(self._jobs[digest])) for digest in self._shared}

    def _add(self, key: Key, digest: str) -> KeyClaimChange:
        namespaces = self._jobs.setdefault(digest, {})
        is_new_namespace = key[0] not in namespaces
        namespaces.setdefault(key[0], {})[key] = None
        self._digests[key] = digest
        if not is_new_namespace or len(namespaces) == 1:
            return _NO_CHANGE
        self._shared[digest] = None
        sharing = _first_jobs(namespaces)
        affected = frozenset(sharing) - {key} if len(namespaces) == 2 else frozenset()
        return KeyClaimChange(affected=affected, sharing=sharing)

    def _remove(self, key: Key, digest: str) -> frozenset[Key]:
        """Remove the job from the users of a key. Return a job of the last namespace that uses it, if there is one."""
        del self._digests[key]
        namespaces = self._jobs[digest]
        del namespaces[key[0]][key]
        if namespaces[key[0]]:
            return frozenset()
        del namespaces[key[0]]
        if not namespaces:
            del self._jobs[digest]
        if len(namespaces) != 1:
            return frozenset()
        del self._shared[digest]
        return frozenset(_first_jobs(namespaces))


def _first_jobs(namespaces: dict[str, dict[Key, None]]) -> tuple[Key, ...]:
    """Return one job of each of the first ten namespaces."""
    return tuple(next(iter(jobs)) for jobs in islice(namespaces.values(), _MOST_NAMESPACES))
