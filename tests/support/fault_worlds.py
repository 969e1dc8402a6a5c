"""Worlds of the fault tests: each is a namespace with an operator of its own behind a fault proxy of its own.

Many worlds share one cluster. A world runs one plan after the other; its operator is restarted whenever it has ended,
as the container of a pod.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient, ApiError
from sluice_devcluster.layout import StateDirectory
from sluice_runtime.aio.waiting import cancel_and_wait
from support import fault_plans
from support.eventually import eventually
from support.fault_auditor import Auditor, Document
from support.fault_plans import Address, Plan
from support.fault_proxy import FaultProxy
from support.fault_workloads import SETTLE_SECONDS, TAPE, WORKLOADS, Scene, Workload
from support.locked_runtime import LockedRuntime
from support.supervised_operator import SupervisedOperator

REPORT_EVERY_SECONDS: Final = 0.1
HEARTBEAT_SECONDS: Final = 20
QUIET_SECONDS: Final = 0.5  # for which a job must stay as it is
# What a fault delays arrives so long after it: a held response, or the events of a watch that begins again.
DELAY_SECONDS: Final = {fault_plans.HOLD: fault_plans.HOLD_SECONDS, **dict.fromkeys(fault_plans.BREAKS, 1.0)}
# Far above what any plan without a fault needs, and far below a storm.
MOST_REQUESTS: Final = {"POST pods": 5, "PATCH ingestjobs/status": 16, "DELETE pods": 5, "GET pods": 40}
MOST_OF_ALL_REQUESTS: Final = 160


class Result(msgspec.Struct, frozen=True):
    """The outcome of a plan. Without problems, all invariants hold."""

    plan: Plan
    trace: tuple[Address, ...]
    problems: tuple[str, ...]
    seconds: float
    has_struck: bool


class World:
    """A namespace with an operator behind a fault proxy."""

    def __init__(self, cluster: StateDirectory, runtime: LockedRuntime, folder: Path, name: str) -> None:
        """`folder` is for the kubeconfig and the log of the operator."""
        settings = cluster.load_settings()
        assert settings is not None
        self.name = name
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self.log = folder / f"{name}.log"
        self.api = ApiClient(settings.apiserver_port, cluster.pki, "admin")
        self.auditor = Auditor(self.api, name, runtime)
        self.operator = SupervisedOperator(self.kubeconfig, self.log, name)
        self.proxy = FaultProxy(settings.apiserver_port, cluster.pki, self.operator.kill)
        self.pods_report = True
        self.pod_clock_offset_seconds = 0
        self._runtime = runtime
        self._number = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        """Create the namespace, and run the operator while the context lasts."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.api)
            labels = {"sluice.dev/tenant": self.name}
            await self.api.post("/api/v1/namespaces", {"metadata": {"name": self.name, "labels": labels}})
            tape = {"metadata": {"name": TAPE}, "data": {"tape.csv.gz": ""}}
            await self.api.post(f"/api/v1/namespaces/{self.name}/configmaps", tape)
            await stack.enter_async_context(self.proxy.serving())
            await stack.enter_async_context(self.auditor.running())
            _write_kubeconfig(self.kubeconfig, self.proxy.url)
            await stack.enter_async_context(self.operator.running())
            task = asyncio.create_task(self._report_streams())
            try:
                yield self
            finally:
                await cancel_and_wait(task)

    def new_scene(self) -> Scene:
        """Return a scene with a job of its own."""
        self._number += 1
        return Scene(self.api, self.auditor, self._runtime, self.name, f"job-{self._number}")

    async def create_streaming_jobs(self, number: int) -> list[Scene]:
        """Create jobs, and wait until they stream."""
        scenes = [self.new_scene() for _ in range(number)]
        for scene in scenes:
            await scene.create()
        for scene in scenes:
            await scene.until(scene.streams)
            scene.pod_uid_before = scene.pod_uid
        return scenes

    def take_violations(self, scenes: Sequence[Scene]) -> list[str]:
        """Return what has been violated since the last call, also by these jobs."""
        return [each for scene in scenes for each in self.auditor.take_violations(scene.name)]

    async def lease_holder(self) -> str:
        """Return the name of the replica that holds the Lease."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.name}/leases/sluice-operator"
        return str((await self.api.get(path))["spec"].get("holderIdentity", "")).rpartition("_")[0]

    async def run(self, plan: Plan) -> Result:
        """Run a plan with a job of its own. Return its outcome."""
        scene = self.new_scene()
        workload, problems, began = WORKLOADS[plan.workload], list[str](), time.monotonic()
        try:
            await workload.prepare(scene)
            scene.pod_uid_before = scene.pod_uid
            self.operator.exits.clear()
            self.proxy.arm(plan)
            await workload.act(scene)
            await eventually(lambda: self._stays_converged(workload, scene), SETTLE_SECONDS)
        except (AssertionError, ApiError) as error:
            problems.append(f"the job has not converged ({error}): {scene.summary()}")
        trace = tuple(self.proxy.trace)
        self.proxy.disarm()
        problems += self.auditor.take_violations(scene.name) + _storms(trace)
        problems += [f"the operator has exited with {code}" for code in self.operator.exits]
        problems += await self.clean_up(scene)
        return Result(plan, trace, tuple(problems), time.monotonic() - began, self.proxy.struck_at is not None)

    async def _stays_converged(self, workload: Workload, scene: Scene) -> bool:
        """Return whether the job is as its spec says, and stays so until what the fault has delayed must be there."""
        quiet_until = time.monotonic() + QUIET_SECONDS
        if self.proxy.struck_at is not None:
            delay = DELAY_SECONDS.get(self.proxy.plan.fault, 0.0)
            quiet_until = max(quiet_until, self.proxy.struck_at + delay + QUIET_SECONDS)
        while workload.has_converged(scene):
            if time.monotonic() > quiet_until:
                return True
            await asyncio.sleep(REPORT_EVERY_SECONDS)
        return False

    async def delete_jobs(self) -> None:
        """Delete all jobs, and wait until they and their pods are gone."""
        for name in list(self.auditor.jobs):
            await Scene(self.api, self.auditor, self._runtime, self.name, name).delete()
        await eventually(lambda: not self.auditor.jobs and not self.auditor.pods, SETTLE_SECONDS)

    async def clean_up(self, scene: Scene) -> list[str]:
        """Delete the job. Return a problem if it or its pod remains."""
        await scene.delete()
        await scene.delete_foreign_pod()
        try:
            await eventually(lambda: not scene.job and not scene.pod, SETTLE_SECONDS)
        except AssertionError:
            return [f"the job or its pod was not deleted: {scene.summary()}"]
        return []

    def _pod_time(self) -> str:
        now = datetime.now(UTC) + timedelta(seconds=self.pod_clock_offset_seconds)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _report_streams(self) -> None:
        """Write the report of each running pod every 20 s and whenever its job has changed, as the runtime would."""
        reported: dict[str, tuple[str, int, int]] = {}
        while True:
            for name, job in list(self.auditor.jobs.items()):
                pod = self.auditor.pods.get(identity.pod_name(name), {})
                heartbeat = int(time.monotonic() / HEARTBEAT_SECONDS)
                state = (pod.get("metadata", {}).get("uid", ""), job["metadata"]["generation"], heartbeat)
                if self.pods_report and reported.get(name) != state and _runs(pod):
                    path = f"/apis/{identity.API_VERSION}/namespaces/{self.name}/{identity.PLURAL}/{name}/status"
                    with suppress(ApiError, aiohttp.ClientError, TimeoutError):
                        await self.api.patch(path, {"status": {"stream": _report(job, pod, self._pod_time())}}, MERGE)
                        reported[name] = state
            await asyncio.sleep(REPORT_EVERY_SECONDS)


def _runs(pod: Document) -> bool:
    """Return whether the container of a pod that the operator has created runs."""
    if identity.EPOCH_ANNOTATION not in pod.get("metadata", {}).get("annotations", {}):
        return False
    status = pod.get("status", {})
    started = [each for each in status.get("containerStatuses", ()) if "running" in each.get("state", {})]
    return bool(started) and "deletionTimestamp" not in pod["metadata"]


def _report(job: Document, pod: Document, at: str) -> Document:
    """Return the report of a pod that has applied the spec of its job, and of a replay that has finished.

    `at` is the time of the pod's clock.
    """
    pod_uid, epoch = pod["metadata"]["uid"], int(pod["metadata"]["annotations"][identity.EPOCH_ANNOTATION])
    live = "Finished" if job["spec"]["provider"] == "replay" else "Live"
    is_enabled = job["spec"].get("enabled", True)
    report: dict[str, Any] = {
        "observedGeneration": job["metadata"]["generation"],
        "podUID": pod_uid,
        "state": live if is_enabled else "Paused",
        "heartbeat": {"at": at, "status": "running", "dryRun": False, "epoch": epoch, "sessionID": pod_uid},
        "ingestEnabled": is_enabled,
        "symbols": {"live": "2/2", "desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0},
        "sink": {"healthy": True, "lastWriteAt": at},
        "effectiveIntervalMilliseconds": 1000,
        "ingestEnabledSource": None,
        "pause": None,
    }
    if not is_enabled:
        report |= {"ingestEnabledSource": "spec.enabled", "pause": {"source": "spec.enabled", "acknowledgedAt": at}}
    return report


def _storms(trace: tuple[Address, ...]) -> list[str]:
    counts = Counter(f"{each.verb} {each.resource}" for each in trace if each.verb != fault_plans.WATCH)
    found = [f"{counts[what]} requests {what}" for what, most in MOST_REQUESTS.items() if counts[what] > most]
    if counts.total() > MOST_OF_ALL_REQUESTS:
        found.append(f"{counts.total()} requests: {counts.most_common(4)}")
    return found


def _write_kubeconfig(path: Path, server: str) -> None:
    context = {"name": "world", "context": {"cluster": "world", "user": "world"}}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "world", "cluster": {"server": server}}],
        "users": [{"name": "world", "user": {}}],
        "contexts": [context],
        "current-context": "world",
    }
    path.write_text(json.dumps(document))
