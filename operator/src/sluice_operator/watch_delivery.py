"""The delivery of objects from the texts of LISTs and watches to the informer cache.

An event of an object whose version is already known, mostly the operator's own write, is not decoded.
"""

from __future__ import annotations

import logging
from typing import NamedTuple, TypeVar

import msgspec

from sluice_contract.json_nesting import JSONText
from sluice_contract.resource import resource_version_number

from .domain import objects
from .domain.objects import Job, Key, Pod
from .domain.pause_objects import PauseObject
from .domain.reduced_documents import (
    CLUSTER_PAUSES,
    EXPIRED,
    JOBS,
    PAUSES,
    PODS,
    AnyReducedKind,
    ObjectVersion,
    ReducedKind,
    decode_object_version,
)
from .informer_cache import ClusterState
from .object_cache import ObjectCache, object_version

log = logging.getLogger(__name__)

V = TypeVar("V", Job, Pod, PauseObject)


class WatchedObject(NamedTuple):
    """An object of a watch event, or of a LIST, for which `change` is None."""

    change: str | None
    version: ObjectVersion
    text: JSONText


class WatchDelivery:
    """Updates the cluster state from the texts of objects."""

    def __init__(self, store: ClusterState) -> None:
        self._store = store

    def deliver(self, kind: AnyReducedKind, change: str | None, text: JSONText) -> str:
        """Update the cluster state from an event, or from an object of a LIST, for which `change` is None.

        With the change EXPIRED, the text is not read.

        Return the resourceVersion of the object. Raises `msgspec.DecodeError` if the text is not JSON. An error in the
        update itself is logged: the next LIST repairs the cache, and the watch continues.
        """
        if change == EXPIRED:
            self._forget_deliveries(kind)
            return ""
        version = decode_object_version(text)
        try:
            self._update(kind, WatchedObject(change, version, text))
        except msgspec.DecodeError:
            raise
        except Exception:
            log.exception("an event was not processed", extra={"kind": kind.plural, "object": version.name})
        return version.resource_version

    def _forget_deliveries(self, kind: AnyReducedKind) -> None:
        match kind.plural:
            case JOBS.plural:
                self._store.jobs.forget_deliveries()
            case PODS.plural:
                self._store.pods.forget_deliveries()
            case PAUSES.plural:
                self._store.pauses.namespaced.forget_deliveries()
            case _:
                self._store.pauses.of_cluster.forget_deliveries()

    def _update(self, kind: AnyReducedKind, found: WatchedObject) -> None:
        version = found.version
        key = (version.namespace, version.name)
        if kind.plural == JOBS.plural:
            update_cache(self._store.jobs, JOBS, key, found)
        elif kind.plural == PODS.plural:
            job_key = objects.job_key_of_pod_name(*key)
            if job_key is not None:  # otherwise the pod is not of a job
                update_cache(self._store.pods, PODS, job_key, found)
        elif kind.plural == PAUSES.plural:
            update_cache(self._store.pauses.namespaced, PAUSES, key, found)
        else:
            update_cache(self._store.pauses.of_cluster, CLUSTER_PAUSES, key, found)


def update_cache(cache: ObjectCache[V], kind: ReducedKind[V], key: Key, found: WatchedObject) -> None:
    """Update the cache of one kind. Raises `msgspec.DecodeError` if the text is not JSON."""
    if found.change == "DELETED":
        cache.remove_delivered(key, found.version.uid, resource_version_number(found.version.resource_version))
        return
    known = cache.get(key)
    if known is not None and _is_version_of(known, found.version):
        cache.put_delivered(key, known)
    else:
        cache.put_delivered(key, kind.decode(found.text))


def _is_version_of(known: Job | Pod | PauseObject, version: ObjectVersion) -> bool:
    number = resource_version_number(version.resource_version)
    return known.metadata.uid == version.uid and object_version(known) == number
