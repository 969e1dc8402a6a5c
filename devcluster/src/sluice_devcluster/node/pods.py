"""The lifecycle of a pod on this node: volumes, init containers, containers, and a graceful end."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.layout import ClusterSettings, StateDirectory
from sluice_devcluster.node import environment, sources, statuses, volumes
from sluice_devcluster.node.addresses import HOST
from sluice_devcluster.node.containers import Container, ContainerContext
from sluice_devcluster.node.events import EventRecorder
from sluice_devcluster.node.execution import Mount
from sluice_devcluster.node.pod_containers import PodContainers
from sluice_devcluster.node.recovery import snapshot_from_status
from sluice_devcluster.node.references import PodFacts, Reference, UnresolvedError
from sluice_devcluster.node.restarts import RestartBackoff
from sluice_devcluster.node.signals import ChangeCounter
from sluice_devcluster.node.storage import RETRY_SECONDS, PodVolumes

LOGGER = logging.getLogger(__name__)
DEFAULT_GRACE_SECONDS = 30.0
# The grace period that the kubelet gives a pod whose object was deleted by force.
ORPHAN_GRACE_SECONDS = 2.0
API_RETRY_SECONDS = 0.2
MISSING = (404, 409)


@dataclass(frozen=True)
class NodeContext:
    """The client, event recorder and settings that all pods of this node share."""

    client: ApiClient
    recorder: EventRecorder
    state: StateDirectory
    settings: ClusterSettings


class PodWorker:
    """Runs one pod; the agent calls `on_pod_changed` and `on_pod_removed`, and `stop` when the node stops."""

    def __init__(self, pod: Json, node: NodeContext, address: str) -> None:
        """Take a pod that is bound to this node; nothing starts before `run`."""
        self.pod = pod
        self.address = HOST if pod["spec"].get("hostNetwork") else address
        self._node = node
        self._directory = node.state.node_directory / "pods" / pod["metadata"]["uid"]
        self._changed = ChangeCounter()
        self._dirty = asyncio.Event()
        self._stopping = asyncio.Event()
        self._grace = DEFAULT_GRACE_SECONDS
        self._delete = False
        self._status: Json = pod.get("status") or {}
        self._sent: Json | None = None
        self._references = _referenced_objects(pod["spec"])
        facts = PodFacts(pod, self.address, HOST)
        self._storage = PodVolumes(node.client, facts, self._directory / "volumes", self._changed)
        self._containers = PodContainers(
            self._create_containers(pod["spec"].get("initContainers") or [], "initContainerStatuses"),
            self._create_containers(pod["spec"]["containers"], "containerStatuses"),
        )
        self.on_pod_changed(pod)

    @property
    def kubelet_name(self) -> str:
        """The pod's name as the kubelet writes it in messages."""
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    def find_container(self, name: str) -> Container | None:
        """Return the container or init container with this name; None if there is none."""
        return self._containers.find(name)

    def on_pod_changed(self, pod: Json) -> None:
        """Take the pod's new object: end the pod if it is deleted, and refresh the volumes that show its labels."""
        old, self.pod = self.pod, pod
        for field in ("labels", "annotations"):
            if old["metadata"].get(field) != pod["metadata"].get(field):
                self._storage.facts = self._storage.facts._replace(pod=pod)
                self._changed.increment()
        if pod["metadata"].get("deletionTimestamp"):
            self._delete = True
            self.stop(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))

    def on_pod_removed(self) -> None:
        """End the pod, because its object no longer exists."""
        self._delete = False
        self.stop(ORPHAN_GRACE_SECONDS)

    def on_object_changed(self, namespace: str, reference: Reference) -> None:
        """Refresh the pod's volumes if the pod refers to this changed Secret or ConfigMap."""
        if namespace == self.pod["metadata"]["namespace"] and reference in self._references:
            self._changed.increment()

    def stop(self, grace_seconds: float | None = None) -> None:
        """End the pod: SIGTERM to its containers, and SIGKILL after the grace period (by default the pod's own)."""
        if grace_seconds is None:
            grace_seconds = self._grace_period_seconds()
        self._grace = min(self._grace, grace_seconds) if self._stopping.is_set() else grace_seconds
        self._stopping.set()
        self._containers.stop(self._grace)

    async def run(self) -> None:
        """Run the pod until it is stopped, and report its status."""
        reporting = asyncio.create_task(self._report_status_changes())
        living = asyncio.create_task(self._run_until_done())
        try:
            await self._stopping.wait()
            # Without a started container, the task may wait for an object in the API server, so cancel it.
            if not self._containers.has_process():
                living.cancel()
            with suppress(asyncio.CancelledError):
                await living
        finally:
            reporting.cancel()
            with suppress(asyncio.CancelledError):
                await reporting
        await self._report_end_and_clean_up()

    async def _run_until_done(self) -> None:
        if self._status.get("phase") in statuses.TERMINAL:
            return
        self._dirty.set()
        try:
            await self._write_volumes()
            fresh = asyncio.create_task(self._storage.refresh_forever())
            try:
                policy = self.pod["spec"].get("restartPolicy", "Always")
                await self._containers.run(policy, self._grace_period_seconds())
            finally:
                fresh.cancel()
        except Exception as error:
            LOGGER.exception("pod %s failed", self.kubelet_name)
            self._record_event("Failed", f"The node agent cannot run this pod: {error}", True)

    async def _write_volumes(self) -> None:
        (self._directory / "home").mkdir(parents=True, exist_ok=True)
        reported = ""
        while True:
            seen = self._changed.count
            try:
                await self._storage.write_all()
            except UnresolvedError as error:
                if str(error) != reported:
                    reported = str(error)
                    self._record_event("FailedMount", reported, True)
            except (aiohttp.ClientError, TimeoutError) as error:
                LOGGER.warning("cannot write the volumes of %s, retrying: %s", self.kubelet_name, error)
            else:
                return
            await self._changed.wait_for_change(seen, RETRY_SECONDS)

    def _create_containers(self, specs: list[Json], field: str) -> list[Container]:
        known = {each["name"]: each for each in self._status.get(field) or []}
        waits_for_init = field == "containerStatuses" and self.pod["spec"].get("initContainers")
        reason = "PodInitializing" if waits_for_init else "ContainerCreating"
        now = dt.datetime.now(dt.UTC)
        return [
            Container(
                spec,
                self._container_context(spec["name"]),
                snapshot_from_status(spec, known.get(spec["name"]), reason=reason, now=now),
                RestartBackoff(base=self._node.settings.restart_backoff_seconds),
            )
            for spec in specs
        ]

    def _container_context(self, name: str) -> ContainerContext:
        return ContainerContext(
            directory=self._directory / "containers" / name,
            records=self._node.state.node_processes_directory,
            address=self.address,
            grace_seconds=self._grace_period_seconds(),
            environment=self._container_environment,
            mounts=self._container_mounts,
            changed=self._dirty.set,
            event=self._record_event,
            sources_changed=self._changed,
            title=self.kubelet_name,
        )

    def _grace_period_seconds(self) -> float:
        return float(self.pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))

    async def _container_environment(self, container: Json) -> dict[str, str]:
        settings, facts = self._node.settings, self._storage.facts
        namespace = self.pod["metadata"]["namespace"]
        try:
            found = await sources.fetch_objects(self._node.client, namespace, environment.referenced_objects(container))
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            raise UnresolvedError(str(error)) from error
        return {
            **environment.base_variables(facts, settings.bin_dir, settings.apiserver_port),
            **environment.resolve_variables(container, facts, found),
        }

    def _container_mounts(self, container: Json) -> list[Mount]:
        home = Mount(str(self._directory / "home"), environment.HOME, read_only=False)
        return [home, *self._storage.container_mounts(container)]

    def _record_event(self, reason: str, message: str, warning: bool) -> None:
        self._node.recorder.record_event(self.pod, reason, message, warning=warning)

    async def _report_status_changes(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._send_status()
            except (aiohttp.ClientError, TimeoutError) as error:
                LOGGER.warning("cannot write the status of %s: %s", self.kubelet_name, error)
                await asyncio.sleep(API_RETRY_SECONDS)
                self._dirty.set()

    async def _send_status(self) -> None:
        snapshot = statuses.PodSnapshot(
            init=[each.snapshot for each in self._containers.init],
            main=[each.snapshot for each in self._containers.main],
            address=self.address,
            deleting=self._delete,
        )
        status = statuses.pod_status(snapshot, self.pod["spec"], self._status, dt.datetime.now(dt.UTC))
        if status == self._sent:
            return
        body = {"metadata": {"uid": self.pod["metadata"]["uid"]}, "status": status}
        try:
            answer = await self._node.client.patch(f"{self._api_path()}/status", body)
        except ApiError as error:
            if error.status not in MISSING:
                LOGGER.warning("cannot write the status of %s: %s", self.kubelet_name, error)
            return
        self._sent, self._status = status, answer["status"]

    async def _report_end_and_clean_up(self) -> None:
        """Report how the containers ended, remove the object of a deleted pod, and delete the pod's files."""
        for _ in range(5):
            try:
                if self._status.get("phase") not in statuses.TERMINAL:
                    await self._send_status()
                if self._delete:
                    await self._remove_object()
                break
            except (aiohttp.ClientError, TimeoutError) as error:
                LOGGER.warning("cannot report the end of %s, retrying: %s", self.kubelet_name, error)
                await asyncio.sleep(API_RETRY_SECONDS)
        _remove_directory(self._directory)

    async def _remove_object(self) -> None:
        uid = self.pod["metadata"]["uid"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        with suppress(ApiError):
            await self._node.client.delete(self._api_path(), options)

    def _api_path(self) -> str:
        metadata = self.pod["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def _referenced_objects(spec: Json) -> set[Reference]:
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    found = {each for container in containers for each in environment.referenced_objects(container)}
    return found | {each for volume in spec.get("volumes") or [] for each in volumes.referenced_objects(volume)}


def _remove_directory(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
