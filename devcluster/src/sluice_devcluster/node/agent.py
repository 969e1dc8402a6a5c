"""The main loop of the node agent: its informers, and one worker for each pod of the node."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
from collections.abc import Coroutine
from functools import partial
from typing import Any

from sluice_devcluster import processes
from sluice_devcluster.api import ApiClient, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import ClusterSettings, StateDirectory
from sluice_devcluster.node.addresses import pod_address
from sluice_devcluster.node.containers import Container
from sluice_devcluster.node.events import EventRecorder
from sluice_devcluster.node.informer import Informer
from sluice_devcluster.node.kubelet_api import KubeletApi
from sluice_devcluster.node.pods import NodeContext, PodWorker
from sluice_devcluster.node.references import Reference
from sluice_devcluster.node.registration import NodeRegistration
from sluice_devcluster.node.scheduler import Scheduler

LOGGER = logging.getLogger(__name__)
OWN_PODS = {"fieldSelector": f"spec.nodeName={NODE_NAME}"}


class NodeAgent:
    """Runs the pods that are bound to this node."""

    def __init__(self, node: NodeContext, scheduler: Scheduler) -> None:
        """The agent starts nothing before `run`."""
        self._node = node
        self._scheduler = scheduler
        self._workers: dict[str, PodWorker] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._finished: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Run the pods until `stop` is set, then end each pod within its own grace period."""
        client, state = self._node.client, self._node.state
        api = KubeletApi(state.pki, self._find_container, self._find_address)
        port = await api.start()
        following = [asyncio.create_task(work) for work in self._service_loops(client, port)]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*following, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                # These loops never return, so one that ended has failed: raise its exception.
                task.result()
        finally:
            for task in [*following, stopped]:
                task.cancel()
            for worker in self._workers.values():
                worker.stop()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await api.close()

    def _service_loops(self, client: ApiClient, port: int) -> list[Coroutine[Any, Any, None]]:
        return [
            NodeRegistration(client, port).run(),
            Informer(client, "/api/v1/pods", OWN_PODS, self._on_pod_changed).run(),
            Informer(client, "/api/v1/secrets", {}, partial(self._on_object_changed, "Secret")).run(),
            Informer(client, "/api/v1/configmaps", {}, partial(self._on_object_changed, "ConfigMap")).run(),
            self._scheduler.run(),
        ]

    def _on_pod_changed(self, pod: Json, gone: bool) -> None:
        uid = str(pod["metadata"]["uid"])
        worker = self._workers.get(uid)
        if gone:
            self._finished.discard(uid)
            if worker is not None:
                worker.on_pod_removed()
        elif worker is not None:
            worker.on_pod_changed(pod)
        elif uid not in self._finished:
            self._start_worker(uid, pod)

    def _start_worker(self, uid: str, pod: Json) -> None:
        # A pod keeps its address when the agent restarts.
        known = (pod.get("status") or {}).get("podIP")
        address = known or pod_address(uid, (each.address for each in self._workers.values()))
        worker = PodWorker(pod, self._node, address)
        self._workers[uid] = worker
        self._running[uid] = asyncio.create_task(self._run_worker(uid, worker))

    async def _run_worker(self, uid: str, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:
            LOGGER.exception("worker of pod %s failed", worker.kubelet_name)
        finally:
            # A late event about the pod must not start it again, so remember it until its object is deleted.
            self._finished.add(uid)
            del self._workers[uid], self._running[uid]

    def _on_object_changed(self, kind: str, changed: Json, _gone: bool) -> None:
        metadata = changed["metadata"]
        for worker in self._workers.values():
            worker.on_object_changed(metadata["namespace"], Reference(kind, metadata["name"]))

    def _find_container(self, namespace: str, pod: str, container: str) -> Container | None:
        worker = self._find_worker(namespace, pod)
        return None if worker is None else worker.find_container(container)

    def _find_address(self, namespace: str, pod: str) -> str | None:
        worker = self._find_worker(namespace, pod)
        return None if worker is None else worker.address

    def _find_worker(self, namespace: str, pod: str) -> PodWorker | None:
        for worker in self._workers.values():
            metadata = worker.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, pod):
                return worker
        return None


async def remove_data_of_deleted_pods(client: ApiClient, state: StateDirectory) -> None:
    """Delete the directories of pods that no longer exist."""
    listed = await client.get("/api/v1/pods", OWN_PODS)
    known = {item["metadata"]["uid"] for item in listed["items"]}
    for directory in await asyncio.to_thread(lambda: list((state.node_directory / "pods").glob("*"))):
        if directory.name not in known:
            shutil.rmtree(directory, ignore_errors=True)


async def run_agent(state: StateDirectory) -> None:
    """Run the agent of a state directory until SIGTERM or SIGINT."""
    settings: ClusterSettings | None = state.load_settings()
    if settings is None:
        raise DevclusterError(f"There is no devcluster in {state.root}: create one with `sluice-devcluster up`.")
    killed = processes.kill_recorded_process_groups(state.node_processes_directory)
    if killed:
        LOGGER.warning("killed %d containers of an earlier agent", killed)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    port, pki = settings.apiserver_port, state.pki
    async with ApiClient(port, pki, "node") as client, ApiClient(port, pki, "scheduler") as scheduling:
        await remove_data_of_deleted_pods(client, state)
        node = NodeContext(client, EventRecorder(client), state, settings)
        await NodeAgent(node, Scheduler(scheduling)).run(stop)
