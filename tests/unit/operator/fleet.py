"""Many jobs with an operator, and a node on which their pods start, unless their image is bad."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from sluice_contract import conditions as c
from sluice_contract.identity import pod_name
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job, Key
from sluice_operator.domain.rollout import HOLD_SECONDS, MaxUnavailable, RolloutSettings

from .fakes import Document
from .world import NOW, PODS, RUNNING, SYNTHETIC, World, condition, said

NEW, BAD, OLD = "sluice-runtime:2", "sluice-runtime:bad", PODS.image
CLOSED: Document = {"live": 0, "quiet": 0, "stale": 0, "closed": 2, "halted": 0, "paused": 0}
COLD: Document = {"synthetic": {"seed": 7}}


class Fleet(World):
    """Jobs `job-0`, `job-1`, ... in namespace acme, unless a test declares others."""

    most_passes = 5000
    pod_settings = msgspec.structs.replace(PODS, rollout=RolloutSettings(MaxUnavailable(20)))

    def __init__(self) -> None:
        super().__init__()
        self.cluster.bound = True
        self.keys: list[Key] = []
        self.broken: set[Key] = set()  # the jobs that do not become live
        self.reports: dict[Key, Document] = {}  # what the pod of a job reports besides
        self.most_unavailable = 0

    async def with_jobs(self, count: int, namespace: str = "acme") -> Fleet:
        """Declare jobs, and let all of them stream."""
        for number in range(count):
            await self.declared((namespace, f"job-{number}"))
        await self.run_pods()
        return self

    async def declared(self, key: Key, **fields: Any) -> None:
        """Declare a job with documents of its own, or change it, and let the operator act."""
        if key not in self.keys:
            self.keys.append(key)
        own = {"tenant": key[0], "heartbeat": {"document": key[1]}, "firestore": {"liveQuotesCollection": key[1]}}
        self.cluster.declare(key, SYNTHETIC | own | fields, uid="/".join(key))
        await self.settle()

    async def restarted(self, image: str = "", **rollout: Any) -> None:
        """Restart the operator, with another image of the pods or other settings, and wait until it begins to act."""
        changes: dict[str, Any] = {"image": image} if image else {}
        changes |= {"rollout": RolloutSettings(**rollout)} if rollout else {}
        self.pod_settings = msgspec.structs.replace(self.pod_settings, **changes)
        self.start()
        await self.settle()
        await self.advance(HOLD_SECONDS + 1)
        await self.settle()

    async def run_pods(self, rounds: int = 1) -> None:
        """Let the node remove the pods that are deleted, and start the new ones."""
        for _ in range(rounds):
            for key in self.keys:
                self.most_unavailable = max(self.most_unavailable, len(self.unavailable()))
                document = self.cluster.pods.get((key[0], pod_name(key[1])))
                if document is not None and "deletionTimestamp" in document["metadata"]:
                    self.cluster.finish(key)
                    await self.settle()
                await self._start_pod(key)
                self.most_unavailable = max(self.most_unavailable, len(self.unavailable()))

    async def _start_pod(self, key: Key) -> None:
        document = self.cluster.pods.get((key[0], pod_name(key[1])))
        if document is None or document["status"]["phase"] != "Pending":
            return
        if self.image(key) == BAD or key in self.broken:
            waiting = {"reason": "ImagePullBackOff", "message": "not found"}
            status = [{"name": "ingest", "state": {"waiting": waiting}}]
            if document["status"].get("containerStatuses") != status:
                self.cluster.pod_is(key, phase="Pending", containerStatuses=status)
        else:
            self.cluster.pod_is(key, **RUNNING)
            self.report(key)
        await self.settle()

    def report(self, key: Key) -> None:
        """Let the pod of a job report that it streams, or what `reports` has."""
        generation = self.job_of(key).metadata.generation
        uid = self.cluster.pods[key[0], pod_name(key[1])]["metadata"]["uid"]
        at = NOW + timedelta(seconds=self.seconds)
        self.cluster.pod_says(key, said(uid, generation, at) | self.reports.get(key, {}))

    async def elapse(self, seconds: float) -> None:
        """Let time pass, in which the pods that run report."""
        for _ in range(int(seconds // 50)):
            await self.advance(50)
            await self._heartbeats()

    async def _heartbeats(self) -> None:
        for key in self.keys:
            if key not in self.unavailable():
                self.report(key)
        await self.settle()

    def job_of(self, key: Key) -> Job:
        """Return a job from the cluster."""
        return objects.decode_job(self.cluster.jobs[key])

    def image(self, key: Key) -> str:
        """Return the image of a job's pod; empty if the job has no pod."""
        document = self.cluster.pods.get((key[0], pod_name(key[1])))
        return str(document["spec"]["containers"][0]["image"]) if document is not None else ""

    def with_image(self, image: str) -> list[Key]:
        """Return the jobs whose pods have this image and are not being deleted."""
        return [key for key in self.keys if self.image(key) == image and not self.is_terminating(key)]

    def is_terminating(self, key: Key) -> bool:
        """Return whether the pod of a job is being deleted."""
        document = self.cluster.pods.get((key[0], pod_name(key[1])))
        return document is not None and "deletionTimestamp" in document["metadata"]

    def unavailable(self) -> list[Key]:
        """Return the jobs whose pods do not run, or are being deleted."""
        pods = [(key, self.cluster.pods.get((key[0], pod_name(key[1])))) for key in self.keys]
        return [
            key for key, pod in pods if pod is None or pod["status"]["phase"] != "Running" or self.is_terminating(key)
        ]

    def pending(self, key: Key) -> str:
        """Return the reason of condition ReplacementPending of a job; empty without it."""
        return condition(self.job_of(key).status, c.REPLACEMENT_PENDING)[1]

    def ready_of(self, key: Key) -> tuple[str, str]:
        """Return status and reason of condition Ready of a job."""
        return condition(self.job_of(key).status, c.READY)
