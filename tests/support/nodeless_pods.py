"""The pods of a namespace without a node: the test writes their status and the reports that a runtime would send."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sluice_contract import identity
from sluice_devcluster.api import MERGE, ApiClient
from sluice_runtime.aio.waiting import cancel_and_wait

Document = dict[str, Any]


class NodelessPods:
    """Lets each new pod run and, `report_seconds` later, report that its job streams.

    Pods of an image in `failing_images` never report. `images` has the images of all pods of each job so far, and
    `uids` the current pod of each job. `interrupted` are the jobs whose last pod has not reported or is gone, and
    `most_interrupted` is how many there were at most since `watch_interruptions`.
    """

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self.failing_images: frozenset[str] = frozenset()
        self.report_seconds = 0.0
        self.images: dict[str, list[str]] = defaultdict(list)
        self.uids: dict[str, str] = {}
        self.interrupted: set[str] = set()
        self.most_interrupted = 0
        self._api = api
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._jobs = f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the pods while the context lasts."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            await cancel_and_wait(task, *self._tasks)
        for each in self._tasks:
            if not each.cancelled():
                each.result()

    def watch_interruptions(self) -> None:
        """Begin to count how many jobs are interrupted at a time."""
        self.most_interrupted = len(self.interrupted)

    def count_current(self, image: str) -> int:
        """Return how many jobs have a pod of this image now."""
        return sum(self.images[job][-1] == image for job in self.uids)

    async def jobs(self) -> list[Document]:
        """Return all jobs."""
        found: list[Document] = (await self._api.get(self._jobs))["items"]
        return found

    async def _follow(self) -> None:
        async with aclosing(self._api.watch(self._pods, {"resourceVersion": "0"})) as events:
            async for event in events:
                pod = event["object"]
                if event["type"] == "ADDED":
                    self._add(pod)
                elif event["type"] == "DELETED":
                    self._remove(pod)

    def _add(self, pod: Document) -> None:
        job = pod["metadata"]["labels"][identity.JOB_LABEL]
        image = pod["spec"]["containers"][0]["image"]
        self.images[job].append(image)
        self.uids[job] = pod["metadata"]["uid"]
        self._interrupt(job)
        self._tasks.add(asyncio.create_task(self._run(job, pod, image)))

    def _remove(self, pod: Document) -> None:
        job = pod["metadata"]["labels"][identity.JOB_LABEL]
        if self.uids.get(job) == pod["metadata"]["uid"]:
            del self.uids[job]
            self._interrupt(job)

    def _interrupt(self, job: str) -> None:
        self.interrupted.add(job)
        self.most_interrupted = max(self.most_interrupted, len(self.interrupted))

    async def _run(self, job: str, pod: Document, image: str) -> None:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        container = {"name": identity.CONTAINER, "image": image, "imageID": "", "ready": True, "restartCount": 0}
        running = {"phase": "Running", "containerStatuses": [{**container, "state": {"running": {"startedAt": at}}}]}
        uid = pod["metadata"]["uid"]
        await self._api.patch(f"{self._pods}/{pod['metadata']['name']}/status", {"status": running})
        if image in self.failing_images:
            return
        await asyncio.sleep(self.report_seconds)
        if self.uids.get(job) != uid:
            return
        # Before the write: the operator may act on the report before the write returns.
        self.interrupted.discard(job)
        generation = (await self._api.get(f"{self._jobs}/{job}"))["metadata"]["generation"]
        await self._api.patch(f"{self._jobs}/{job}/status", {"status": {"stream": _report(uid, generation, at)}}, MERGE)


def _report(pod_uid: str, generation: int, at: str) -> Document:
    """Return the report of a pod that streams two symbols."""
    return {
        "observedGeneration": generation,
        "podUID": pod_uid,
        "state": "Live",
        "heartbeat": {"at": at, "status": "running", "dryRun": False, "epoch": 1, "sessionID": pod_uid},
        "ingestEnabled": True,
        "symbols": {"live": "2/2", "desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0},
        "sink": {"healthy": True, "lastWriteAt": at},
        "effectiveIntervalMilliseconds": 1000,
    }
