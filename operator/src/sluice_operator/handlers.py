"""The use of kopf: it lists and watches, and its settings let it survive outages.

Its responses deliver objects to the cluster state before kopf sees them (`watch_delivery.py`, ADR 42). kopf watches the
kinds that have a handler. An event that reaches a handler all the same has the same effect.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import kopf
import msgspec

from sluice_contract import identity

from .domain.pause_objects import PauseObject
from .domain.reduced_documents import CLUSTER_PAUSES, JOBS, PAUSES, PODS, ReducedKind, decode_object_version
from .informer_cache import ClusterState
from .kopf_storages import EmptyDiffBaseStorage, EmptyProgressStorage
from .object_cache import ObjectCache
from .watch_delivery import WatchDelivery, WatchedObject, update_cache

# kopf removes its finalizer from each object that has it. The API server never stores this one, because of the space.
FINALIZER = f"{identity.GROUP}/not a finalizer"

KopfLogin = Callable[[], Awaitable[kopf.AiohttpSession]]


class EndlessBackoff:
    """The seconds between the attempts of a request, without end. kopf iterates over it again for each request."""

    def __iter__(self) -> Iterator[float]:
        """Return an iterator over 1, 1, 2, … 21, then 30 forever."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13, 21), itertools.repeat(30))


def kopf_registry(store: ClusterState, login: KopfLogin) -> kopf.OperatorRegistry:
    """Return a kopf registry with the handlers for the login and for the events of jobs, pods and pauses."""
    made = kopf.OperatorRegistry()

    @kopf.on.login(registry=made)
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        return await login()

    @kopf.on.event(identity.GROUP, identity.VERSION, identity.PLURAL, registry=made)
    async def job_event(event: kopf.RawEvent, **_: Any) -> None:
        on_job_event(store, event["type"], dict(event["object"]))

    @kopf.on.event("v1", "pods", registry=made)
    async def pod_event(event: kopf.RawEvent, **_: Any) -> None:
        on_pod_event(store, event["type"], dict(event["object"]))

    @kopf.on.event(identity.GROUP, identity.VERSION, identity.PAUSES, registry=made)
    async def pause_event(event: kopf.RawEvent, **_: Any) -> None:
        on_pause_event(store.pauses.namespaced, PAUSES, event["type"], dict(event["object"]))

    @kopf.on.event(identity.GROUP, identity.VERSION, identity.CLUSTER_PAUSES, registry=made)
    async def cluster_pause_event(event: kopf.RawEvent, **_: Any) -> None:
        on_pause_event(store.pauses.of_cluster, CLUSTER_PAUSES, event["type"], dict(event["object"]))

    return made


def on_job_event(store: ClusterState, change: str | None, document: dict[str, Any]) -> None:
    """Update the cluster state from a watch event of a job. `change` is None if the object comes from a LIST."""
    WatchDelivery(store).deliver(JOBS, change, msgspec.json.encode(document))


def on_pod_event(store: ClusterState, change: str | None, document: dict[str, Any]) -> None:
    """Update the cluster state from a watch event of a pod. Pods that are not of a job are ignored."""
    WatchDelivery(store).deliver(PODS, change, msgspec.json.encode(document))


def on_pause_event(
    cache: ObjectCache[PauseObject], kind: ReducedKind[PauseObject], change: str | None, document: dict[str, Any]
) -> None:
    """Update the cache of a kind of pauses from a watch event."""
    text = msgspec.json.encode(document)
    version = decode_object_version(text)
    update_cache(cache, kind, (version.namespace, version.name), WatchedObject(change, version, text))


def kopf_settings() -> kopf.OperatorSettings:
    """Return settings with which kopf only lists and watches. Each value was checked against kopf 1.45.2."""
    s = kopf.OperatorSettings()
    s.watching.server_timeout = 290  # the API server ends a watch before the client does
    s.watching.client_timeout = 310  # the client ends a watch that the API server did not end
    s.watching.connect_timeout = 10  # the default waits forever
    s.watching.inactivity_timeout = 70.0  # a silent socket counts as dead; None raises TypeError
    s.watching.reconnect_backoff = 1.0  # with a permanent 410: one LIST a second, not ten
    s.watching.chunk_size = 50  # an object may have 1.5 MB, and a page is in memory as a whole
    s.watching.initial_streaming = False  # True loses objects when the initial stream is cut
    # The key is the pair: the text "v1/pods" would silently select nothing.
    s.watching.label_selectors["v1", "pods"] = f"{identity.MANAGED_BY_LABEL}={identity.MANAGED_BY}"
    s.networking.request_timeout = 60  # five minutes by default
    s.networking.connect_timeout = 10  # the default waits forever
    s.networking.error_backoffs = (
        EndlessBackoff()
    )  # kopf survives an outage of any length; by default it exits after 54 s
    s.queueing.worker_limit = None  # a limit counts sleeping workers too, and starves the others
    s.queueing.idle_timeout = 1.0  # the task of an object ends soon
    s.queueing.exit_timeout = 2.0  # handlers only update the cluster state
    s.queueing.error_delays = (0.0,)  # while kopf waits after an error, it drops the object's events
    s.scanning.disabled = True  # the watches of CRDs and namespaces could also end the process
    s.peering.standalone = True  # peering is not a lock: two equal replicas pause each other
    s.posting.enabled = False  # the operator posts its own Events, on transitions only
    s.persistence.diffbase_storage = EmptyDiffBaseStorage()
    s.persistence.progress_storage = EmptyProgressStorage()
    s.persistence.finalizer = FINALIZER
    s.process.ultimate_exiting_timeout = 20  # less than the pod's grace period of 30 s
    return s
