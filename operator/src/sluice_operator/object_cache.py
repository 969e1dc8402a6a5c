"""The cache of the objects of one kind: the newest known object of each key.

A response is a fact about the past, and may arrive after newer ones. So nothing replaces a newer version of the same
object, and an object whose removal is known does not come back. A removal is forgotten after ten minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, Generic, Literal, TypeVar

import msgspec

from sluice_contract.resource import resource_version_number

from .domain.objects import Job, Key, Pod
from .domain.pause_objects import PauseObject

V = TypeVar("V", Job, Pod, PauseObject)

# Where a change is from: an event of the watch or a LIST, the response to a read, or the operator's own write.
Origin = Literal["watch", "response", "write"]

TOMBSTONE_SECONDS: Final = 600.0  # longer than any request can take


class Tombstone(msgspec.Struct, frozen=True):
    """The removal of an object.

    `version` is the newest resourceVersion that the object is known to have had. `number` counts the removals, and `at`
    is the time by the monotonic clock. `was_delivered` is false if a request showed that the object is absent.
    """

    version: int
    number: int
    at: float
    was_delivered: bool


class ObjectCache(Generic[V]):
    """The cache of one kind: for each job key, the newest known job or pod."""

    def __init__(
        self,
        changed: Callable[[Key, V | None, V | None, Origin], None],
        is_watched: Callable[[V], bool],
        share_memory: Callable[[V | None, V], V] = lambda _, value: value,
        monotonic: Callable[[], float] = time.monotonic,
        tombstone_seconds: float = TOMBSTONE_SECONDS,
    ) -> None:
        """`changed` gets each key that changes, its object before and after the change, and where the change is from.

        `is_watched` returns whether the watch shows an object. `share_memory` takes the known and the new object, and
        returns the object to store in place of the new one. `monotonic` returns the time in seconds. A removal is
        remembered for `tombstone_seconds`.
        """
        self._tombstone_seconds = tombstone_seconds
        self._changed: Callable[[Key, V | None, V | None, Origin], None] = changed
        self._monotonic = monotonic
        self._tombstones: dict[str, Tombstone] = {}  # by UID, in the order of their times
        self._removals = 0
        self._removals_before_list = 0
        self._stale_in_list: set[Key] = set()  # the keys for which the last LIST was older than the cache
        self._share_memory: Callable[[V | None, V], V] = share_memory
        self._is_watched: Callable[[V], bool] = is_watched
        self._objects: dict[Key, V] = {}
        self.streamed: dict[Key, int] = {}  # the newest resourceVersion that the watch delivered
        self.deliveries = 0  # the number of events that the watch has delivered
        self._touched: set[Key] | None = None  # the keys that changed during a LIST

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: Key) -> V | None:
        """Return the object of the key; None if it is not known."""
        return self._objects.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._objects)

    def put_delivered(self, key: Key, value: V) -> None:
        """Store the object of a watch event if it is newer than the known one, and record its delivery."""
        self.deliveries += 1
        self.streamed[key] = object_version(value)
        tombstone = self._tombstone(value.metadata.uid)
        if tombstone is None or object_version(value) > tombstone.version:
            self._put(key, value, "watch")

    def remove_delivered(self, key: Key, uid: str, version: int) -> None:
        """Remove an object because the watch delivered its deletion, at this resourceVersion.

        A newer object with another UID is kept.
        """
        self.deliveries += 1
        self.streamed.pop(key, None)
        self._bury(uid, version, was_delivered=True)
        self._remove(key, uid, "watch")

    def forget_deliveries(self) -> None:
        """Count each object as not delivered, because the watch has expired.

        The LIST that follows delivers the objects that still exist. The others are read live, and removed: a LIST does
        not show what was deleted meanwhile.
        """
        self.streamed.clear()

    def undelivered_versions(self) -> dict[Key, int]:
        """Return the resourceVersions of objects that a request returned and the watch has not delivered yet."""
        return {
            key: object_version(value)
            for key, value in self._objects.items()
            if object_version(value) > self.streamed.get(key, -1) and self._is_watched(value)
        }

    @property
    def removals(self) -> int:
        """The number of removals so far. Read it before a request, and pass it on with the response."""
        return self._removals

    def put_if_newer(self, key: Key, value: V, removals: int = 0, origin: Origin = "response") -> None:
        """Store the object of a response if it is newer than the known one and has not been removed.

        `removals` is the number of removals before the request. If the removal of the object was known by then, the
        response shows that the object exists after all: a pod without the operator's label is removed from the watch.
        """
        tombstone = self._tombstone(value.metadata.uid)
        if tombstone is None or tombstone.number <= removals:
            self._put(key, value, origin)

    def remove_if_same_uid(self, key: Key, uid: str) -> None:
        """Remove the object with this UID, which a request did not find. Another object with the same key is kept."""
        known = self._objects.get(key)
        self._bury(uid, object_version(known) if known is not None and known.metadata.uid == uid else 0)
        self._remove(key, uid, "response")

    def remove_without_notice(self, key: Key) -> None:
        """Remove the object without a call of `changed`, so its key is not added to the work queue."""
        self._objects.pop(key, None)
        self.streamed.pop(key, None)

    def begin_to_record_changes(self) -> None:
        """Start to record the keys that change while a LIST is read.

        `replace_all` keeps the objects of these keys, because they are newer than the LIST.
        """
        self._touched = set()
        self._removals_before_list = self._removals

    def replace_all(self, listed: dict[Key, V], is_kept: Callable[[V], bool]) -> dict[Key, int | None]:
        """Make the cache equal to a LIST, except for keys that changed while it was read.

        Return the version of each object that differed; None for an object that the LIST does not contain.

        A LIST may be stale. What is older than the cache is accepted only if the LIST before was older too: versions go
        back when a cluster is restored from a backup. `is_kept` returns whether to keep an object that a LIST never
        shows.
        """
        touched, self._touched = self._touched or set(), None
        stale_before, self._stale_in_list = self._stale_in_list, set()
        differed: dict[Key, int | None] = {}
        for key in [key for key, value in self._objects.items() if key not in listed and not is_kept(value)]:
            if key not in touched:
                differed[key] = None
                known = self._objects.pop(key)
                self._bury(known.metadata.uid, object_version(known))
                self._changed(key, known, None, "watch")
        for key, value in listed.items():
            if key not in touched and self._is_accepted_from_list(key, value, key in stale_before):
                differed[key] = object_version(value)
                self._store(key, value, "watch")
        return differed

    def _is_accepted_from_list(self, key: Key, value: V, was_stale: bool) -> bool:
        """Return whether a listed object replaces the known one. Record the key if the LIST is older than the cache."""
        known, version = self._objects.get(key), object_version(value)
        if known is not None and version == object_version(known):
            return False
        tombstone = self._tombstone(value.metadata.uid)
        if tombstone is not None and tombstone.number > self._removals_before_list:
            return False
        is_removed = tombstone is not None and tombstone.was_delivered and version <= tombstone.version
        if not is_removed and (known is None or version > object_version(known)):
            return True
        self._stale_in_list.add(key)
        return was_stale

    def _put(self, key: Key, value: V, origin: Origin) -> None:
        known = self._objects.get(key)
        if known is None or object_version(value) > object_version(known):
            self._store(key, value, origin)

    def _store(self, key: Key, value: V, origin: Origin) -> None:
        known = self._objects.get(key)
        stored = self._objects[key] = self._share_memory(known, value)
        if known is not None and known.metadata.uid != value.metadata.uid:
            self._bury(known.metadata.uid, object_version(known))  # its key has a new object, so it is gone
        self._tombstones.pop(value.metadata.uid, None)
        self._notify_of_change(key, known, stored, origin)

    def _remove(self, key: Key, uid: str, origin: Origin) -> None:
        known = self._objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self._objects[key]
            self.streamed.pop(key, None)
            self._notify_of_change(key, known, None, origin)

    def _notify_of_change(self, key: Key, before: V | None, after: V | None, origin: Origin) -> None:
        if self._touched is not None:
            self._touched.add(key)
        self._changed(key, before, after, origin)

    def _bury(self, uid: str, version: int, was_delivered: bool = False) -> None:
        """Record the removal of an object. Forget those of more than ten minutes ago."""
        now = self._monotonic()
        for old in list(self._tombstones):
            if self._tombstones[old].at > now - self._tombstone_seconds:
                break
            del self._tombstones[old]
        self._removals += 1
        if (earlier := self._tombstones.pop(uid, None)) is not None:
            version, was_delivered = max(version, earlier.version), was_delivered or earlier.was_delivered
        self._tombstones[uid] = Tombstone(version, self._removals, now, was_delivered)

    def _tombstone(self, uid: str) -> Tombstone | None:
        """Return the removal of the object with this UID in the last ten minutes; None if none is known."""
        found = self._tombstones.get(uid)
        return found if found is not None and found.at > self._monotonic() - self._tombstone_seconds else None


def object_version(value: Job | Pod | PauseObject) -> int:
    """Return the resourceVersion of an object as a number."""
    return resource_version_number(value.metadata.resource_version)
