"""kopf's part: its watches feed the store, its settings make it ride out what an API server does. No logic."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import kopf

from sluice_contract import identity

from .domain import objects
from .informer_cache import ClusterState
from .kopf_storages import NoDiffBase, NoProgress

# kopf removes its finalizer from every object that has it. The space keeps the API server from ever storing this one.
FINALIZER = f"{identity.GROUP}/not a finalizer"

Login = Callable[[], Awaitable[kopf.AiohttpSession]]


class Forever:
    """Seconds between attempts, without end. kopf starts over with each request, so it is iterable again and again."""

    def __iter__(self) -> Iterator[float]:
        """1, 1, 2, … 21, then every 30 s."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13, 21), itertools.repeat(30))


def registry(store: ClusterState, login: Login) -> kopf.OperatorRegistry:
    """Everything that kopf is to call."""
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

    return made


def on_job_event(store: ClusterState, change: str | None, document: dict[str, Any]) -> None:
    """An event of a job's. `change` is None for an object of a LIST."""
    job = objects.job(document)
    if change == "DELETED":
        store.jobs.deliver_removal(job.key, job.metadata.uid)
    else:
        store.jobs.deliver(job.key, job)


def on_pod_event(store: ClusterState, change: str | None, document: dict[str, Any]) -> None:
    """An event of a pod's."""
    pod = objects.pod(document)
    key = objects.key_of_pod(pod.metadata.namespace, pod.metadata.name)
    if key is None:
        return
    if change == "DELETED":
        store.pods.deliver_removal(key, pod.metadata.uid)
    else:
        store.pods.deliver(key, pod)


def kopf_settings() -> kopf.OperatorSettings:
    """kopf as a reflector only. Each value was checked against kopf 1.45.2."""
    s = kopf.OperatorSettings()
    s.watching.server_timeout = 290  # the API server ends a watch before we do
    s.watching.client_timeout = 310  # and we end one that it forgot to
    s.watching.connect_timeout = 10  # the default waits for ever
    s.watching.inactivity_timeout = 70.0  # a silent socket is a dead one; None raises TypeError
    s.watching.reconnect_backoff = 1.0  # with a permanent 410: one LIST a second, not ten
    s.watching.chunk_size = 500  # a LIST of 10,000 jobs must not be one answer
    s.watching.initial_streaming = False  # loses objects when the initial stream is cut
    # The pair is the key: the string "v1/pods" would silently select nothing.
    s.watching.label_selectors["v1", "pods"] = f"{identity.MANAGED_BY_LABEL}={identity.MANAGED_BY}"
    s.networking.request_timeout = 60  # five minutes by default
    s.networking.connect_timeout = 10  # the default waits for ever
    s.networking.error_backoffs = Forever()  # an outage of any length is ridden out; by default 54 s, then exit
    s.queueing.worker_limit = None  # a limit counts sleeping workers too, and starves the others
    s.queueing.idle_timeout = 1.0  # a task per object is not kept for long
    s.queueing.exit_timeout = 2.0  # handlers only put into a store
    s.queueing.error_delays = (0.0,)  # while kopf waits after an error, it drops the object's events
    s.scanning.disabled = True  # the streams of CRDs and namespaces are two more that can end the process
    s.peering.standalone = True  # peering is no lock: two equal replicas pause each other
    s.posting.enabled = False  # events are our own, on transitions only
    s.persistence.diffbase_storage = NoDiffBase()
    s.persistence.progress_storage = NoProgress()
    s.persistence.finalizer = FINALIZER
    s.process.ultimate_exiting_timeout = 20  # less than the pod's grace period of 30 s
    return s
