"""The cache of the objects of one kind: the newest known object of each key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from sluice_contract.resource import resource_version_number

from .domain.objects import Job, Key, Pod
from .domain.pause_objects import PauseObject

V = TypeVar("V", Job, Pod, PauseObject)


class ObjectCache(Generic[V]):
    """The cache of one kind: for each job key, the newest known job or pod."""

    def __init__(
        self,
        changed: Callable[[Key], None],
        is_watched: Callable[[V], bool],
        share_memory: Callable[[V | None, V], V] = lambda _, value: value,
    ) -> None:
        """`changed` is called with each key that changes. `is_watched` returns whether the watch shows an object.

        `share_memory` takes the known and the new object, and returns the object to store in place of the new one.
        """
        self._changed = changed
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
        self.put_if_newer(key, value)

    def remove_delivered(self, key: Key, uid: str) -> None:
        """Remove an object because the watch delivered its deletion. A newer object with another UID is kept."""
        self.deliveries += 1
        self.streamed.pop(key, None)
        self.remove_if_same_uid(key, uid)

    def undelivered_versions(self) -> dict[Key, int]:
        """Return the resourceVersions of objects that a request returned and the watch has not delivered yet."""
        return {
            key: object_version(value)
            for key, value in self._objects.items()
            if object_version(value) > self.streamed.get(key, -1) and self._is_watched(value)
        }

    def put_if_newer(self, key: Key, value: V) -> None:
        """Store an object if it is newer than the known one. It may come from a watch, a live read or a response."""
        known = self._objects.get(key)
        if known is not None and object_version(value) <= object_version(known):
            return
        self._store(key, value)

    def remove_if_same_uid(self, key: Key, uid: str) -> None:
        """Remove the object with this UID. A newer object with the same key is kept."""
        known = self._objects.get(key)
        if known is not None and known.metadata.uid == uid:
            del self._objects[key]
            self.streamed.pop(key, None)
            self._notify_of_change(key)

    def remove_without_notice(self, key: Key) -> None:
        """Remove the object without a call of `changed`, so its key is not added to the work queue."""
        self._objects.pop(key, None)
        self.streamed.pop(key, None)

    def begin_to_record_changes(self) -> None:
        """Start to record the keys that change while a LIST is read.

        `replace_all` keeps the objects of these keys, because they are newer than the LIST.
        """
        self._touched = set()

    def replace_all(self, listed: dict[Key, V], is_kept: Callable[[V], bool]) -> dict[Key, int | None]:
        """Make the cache equal to a LIST, except for keys that changed while it was read.

        Return the version of each object that differed; None for an object that the LIST does not contain.

        A listed object replaces the known one even if its version is lower, because versions go back when a cluster is
        restored from a backup. `is_kept` returns whether to keep an object that a LIST never shows.
        """
        touched, self._touched = self._touched or set(), None
        differed: dict[Key, int | None] = {}
        for key in [key for key, value in self._objects.items() if key not in listed and not is_kept(value)]:
            if key not in touched:
                differed[key] = None
                del self._objects[key]
                self._changed(key)
        for key, value in listed.items():
            known = self._objects.get(key)
            if key not in touched and (known is None or object_version(known) != object_version(value)):
                differed[key] = object_version(value)
                self._store(key, value)
        return differed

    def _store(self, key: Key, value: V) -> None:
        self._objects[key] = self._share_memory(self._objects.get(key), value)
        self._notify_of_change(key)

    def _notify_of_change(self, key: Key) -> None:
        if self._touched is not None:
            self._touched.add(key)
        self._changed(key)


def object_version(value: Job | Pod | PauseObject) -> int:
    """Return the resourceVersion of an object as a number."""
    return resource_version_number(value.metadata.resource_version)
