"""The workloads of the fault tests: what a user or the platform does to one job, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from sluice_contract import conditions as c
from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient, ApiError
from support.eventually import eventually
from support.fault_auditor import Auditor, Document
from support.locked_runtime import LockedRuntime

TAPE: Final = "tape"
SETTLE_SECONDS: Final = 60.0  # on an idle machine, most plans need less than 5 s
SHORT_SECONDS: Final = 0.05  # the time between two changes of a user who is in a hurry


class Scene:
    """One job of a workload, in the namespace of a world."""

    def __init__(self, api: ApiClient, auditor: Auditor, runtime: LockedRuntime, namespace: str, name: str) -> None:
        self.name = name
        self.namespace = namespace
        self.pod_uid_before = ""  # the pod when the fault was armed
        self._written_version = 0  # the resourceVersion of the job after the last write of the scene
        self._api = api
        self._auditor = auditor
        self._runtime = runtime
        self._jobs = f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    @property
    def job(self) -> Document:
        """The job as the auditor sees it; empty if it does not exist."""
        return self._auditor.jobs.get(self.name, {})

    @property
    def pod(self) -> Document:
        """The pod of the job; empty if it does not exist."""
        return self._auditor.pods.get(identity.pod_name(self.name), {})

    @property
    def pod_uid(self) -> str:
        """The UID of the pod, or an empty text."""
        return str(self.pod.get("metadata", {}).get("uid", ""))

    @property
    def image(self) -> str:
        """The image of the pod's container, or an empty text."""
        return str(self.pod["spec"]["containers"][0]["image"]) if self.pod else ""

    def has_settled(self, reason: str) -> bool:
        """Return whether Ready has this reason for the newest generation of the job.

        The auditor's watch may be late: before it shows the last write of the scene, nothing is known.
        """
        if int(self.job.get("metadata", {}).get("resourceVersion", 0)) < self._written_version:
            return False
        status = self.job.get("status", {})
        reasons = [each["reason"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
        return reasons == [reason] and status["observedGeneration"] == self.job["metadata"]["generation"]

    def streams(self) -> bool:
        """Return whether the job streams with a pod that belongs to it and carries the epoch of its status."""
        if not self.has_settled(c.STREAMING_REASON) or "deletionTimestamp" in self.pod.get("metadata", {}):
            return False
        metadata, status = self.pod.get("metadata", {}), self.job["status"]
        return (
            bool(metadata)
            and status["stream"]["podUID"] == metadata["uid"]
            and metadata["ownerReferences"][0]["uid"] == self.job["metadata"]["uid"]
            and int(metadata["annotations"][identity.EPOCH_ANNOTATION]) == status["epoch"]
        )

    def streams_with_new_pod(self) -> bool:
        """Return whether the job streams with another pod than that before the fault."""
        return self.streams() and self.pod_uid != self.pod_uid_before

    def summary(self) -> str:
        """Return the state of the job and its pod, for a person."""
        ready = [each for each in self.job.get("status", {}).get("conditions", ()) if each["type"] == "Ready"]
        said = f"Ready {ready[0]['status']} {ready[0]['reason']}: {ready[0]['message']}" if ready else "no condition"
        metadata = self.pod.get("metadata", {})
        pod = f"pod {metadata['uid']} {self.pod.get('status', {}).get('phase')}" if metadata else "no pod"
        deleted = f", terminating since {metadata['deletionTimestamp']}" if "deletionTimestamp" in metadata else ""
        return f"{said}; epoch {self.job.get('status', {}).get('epoch')}; {pod}{deleted}"

    async def create(self, **spec: Any) -> None:
        """Create the job, with documents of its own."""
        own = {"heartbeat": {"document": self.name}, "firestore": {"liveQuotesCollection": self.name.replace("-", "_")}}
        fields = {"tenant": self.namespace, "provider": "synthetic", "symbols": ["SPY", "AAPL"], **own, **spec}
        body = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": fields,
        }
        self._record_write(await self._api.post(self._jobs, body))

    async def patch(self, **spec: Any) -> None:
        """Send a merge patch of the spec."""
        self._record_write(await self._api.patch(f"{self._jobs}/{self.name}", {"spec": spec}, MERGE))

    def _record_write(self, job: Document) -> None:
        self._written_version = int(job["metadata"]["resourceVersion"])

    async def delete(self) -> None:
        """Delete the job, if it exists."""
        with suppress(ApiError):
            await self._api.delete(f"{self._jobs}/{self.name}", {})

    async def delete_pod(self, **options: Any) -> None:
        """Delete the pod of the job, as a user does, with the fields of DeleteOptions."""
        await self._api.delete(f"{self._pods}/{identity.pod_name(self.name)}", options)

    async def delete_foreign_pod(self) -> None:
        """Delete the pod under the name of the job's pod if it has another owner."""
        if self.pod and not self.pod["metadata"].get("ownerReferences"):
            with suppress(ApiError):
                await self.delete_pod()

    async def create_foreign_pod(self) -> None:
        """Create a pod of another owner under the name of the job's pod."""
        container = {"name": "other", "image": "other", "command": ["sleep", "600"]}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        await self._api.post(self._pods, {"metadata": {"name": identity.pod_name(self.name)}, "spec": spec})

    async def kill_container(self) -> None:
        """Kill the process of the job's container, once it has recorded its start."""
        job = f"{self.namespace}/{self.name}"

        def process() -> int | None:
            starts = [run.process for run in self._runtime.runs(job) if run.pod_uid == self.pod_uid]
            return starts[-1] if starts else None

        os.kill(await eventually(process, SETTLE_SECONDS), signal.SIGKILL)

    def count_restarts(self) -> int:
        """Return how often the node has restarted the container of the pod."""
        return sum(each["restartCount"] for each in self.pod.get("status", {}).get("containerStatuses", ()))

    def count_starts(self) -> int:
        """Return how often a container of the job has started."""
        return sum(run.what == "start" for run in self._runtime.runs(f"{self.namespace}/{self.name}"))

    async def until(self, holds: Callable[[], object], seconds: float = SETTLE_SECONDS) -> None:
        """Wait until a condition holds."""
        await eventually(lambda: bool(holds()), seconds)


Step = Callable[[Scene], Awaitable[object]]


class Workload(msgspec.Struct, frozen=True):
    """What happens before the fault is armed, what happens then, and what must hold at the end."""

    prepare: Step
    act: Step
    has_converged: Callable[[Scene], bool]


async def _nothing(_: Scene) -> None:
    return


async def _until_streaming(scene: Scene) -> None:
    await scene.create()
    await scene.until(scene.streams)


async def _until_paused(scene: Scene) -> None:
    await _until_streaming(scene)
    await scene.patch(enabled=False)
    await scene.until(lambda: scene.has_settled(c.PAUSED_REASON))


async def _until_replay_finished(scene: Scene) -> None:
    await scene.create(provider="replay", replay={"tape": {"configMapRef": {"name": TAPE}}})
    await scene.until(lambda: scene.has_settled(c.REPLAY_FINISHED))


async def _two_cold_changes(scene: Scene) -> None:
    await scene.patch(synthetic={"seed": 7})
    await asyncio.sleep(SHORT_SECONDS)
    await scene.patch(synthetic={"seed": 8})


async def _create_and_stop(scene: Scene) -> None:
    await scene.create()
    await asyncio.sleep(SHORT_SECONDS)
    await scene.patch(enabled=False)


async def _create_and_delete(scene: Scene) -> None:
    await scene.create()
    await asyncio.sleep(SHORT_SECONDS)
    await scene.delete()


async def _delete_and_create(scene: Scene) -> None:
    await scene.delete()
    await scene.create()


async def _delete_pod_and_change(scene: Scene) -> None:
    await scene.delete_pod()
    await scene.patch(synthetic={"seed": 9})


async def _foreign_pod_goes(scene: Scene) -> None:
    await scene.create_foreign_pod()
    await scene.create()
    await scene.until(lambda: scene.has_settled(c.NAME_CONFLICT))
    await scene.delete_pod()


async def _kill_container(scene: Scene) -> None:
    starts = scene.count_starts()
    await scene.kill_container()
    await scene.until(lambda: scene.count_starts() > starts)


def _has_same_pod(scene: Scene) -> bool:
    return scene.streams() and scene.pod_uid == scene.pod_uid_before


def _has_restarted_in_same_pod(scene: Scene) -> bool:
    return _has_same_pod(scene) and scene.count_restarts() == 1 and scene.count_starts() == 2


def _is_gone(scene: Scene) -> bool:
    return not scene.job and not scene.pod


def _is_paused(scene: Scene) -> bool:
    """Return whether the pod has confirmed the pause, or there is none. A pod that has not started may do so yet."""
    report = scene.job.get("status", {}).get("stream", {})
    is_confirmed = report.get("podUID") == scene.pod_uid and report.get("state") == "Paused"
    return scene.has_settled(c.PAUSED_REASON) and (not scene.pod or is_confirmed)


def _has_run_once(scene: Scene) -> bool:
    return scene.has_settled(c.REPLAY_FINISHED) and scene.count_starts() == 1


def _has_run_once_and_has_no_pod(scene: Scene) -> bool:
    return _has_run_once(scene) and not scene.pod


WORKLOADS: Final = {
    "create": Workload(_nothing, Scene.create, Scene.streams),
    "hot-change": Workload(_until_streaming, lambda scene: scene.patch(symbols=["SPY", "MSFT"]), _has_same_pod),
    "cold-change": Workload(
        _until_streaming, lambda scene: scene.patch(synthetic={"seed": 7}), Scene.streams_with_new_pod
    ),
    "two-cold-changes": Workload(_until_streaming, _two_cold_changes, Scene.streams_with_new_pod),
    "stop": Workload(_until_streaming, lambda scene: scene.patch(enabled=False), _is_paused),
    "resume": Workload(_until_paused, lambda scene: scene.patch(enabled=True), Scene.streams),
    "create-and-stop": Workload(_nothing, _create_and_stop, _is_paused),
    "delete": Workload(_until_streaming, Scene.delete, _is_gone),
    "create-and-delete": Workload(_nothing, _create_and_delete, _is_gone),
    "delete-and-create": Workload(_until_streaming, _delete_and_create, Scene.streams_with_new_pod),
    "pod-deleted": Workload(_until_streaming, Scene.delete_pod, Scene.streams_with_new_pod),
    "pod-deleted-and-change": Workload(_until_streaming, _delete_pod_and_change, Scene.streams_with_new_pod),
    "container-killed": Workload(_until_streaming, _kill_container, _has_restarted_in_same_pod),
    "foreign-pod": Workload(_nothing, _foreign_pod_goes, Scene.streams),
    "replay": Workload(_nothing, _until_replay_finished, _has_run_once),
    "replay-pod-deleted": Workload(_until_replay_finished, Scene.delete_pod, _has_run_once_and_has_no_pod),
}
