"""An auditor of a namespace, with watches of its own that bypass the faults. It checks what must never happen."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import aiohttp

from sluice_contract import identity
from sluice_devcluster.api import ApiClient, ApiError
from sluice_runtime.aio.waiting import cancel_and_wait
from support.locked_runtime import LockedRuntime

Document = dict[str, Any]

_RETRY_SECONDS: Final = 0.2


class Auditor:
    """Follows the jobs and pods of a namespace. `jobs` and `pods` have the current ones by name."""

    def __init__(self, api: ApiClient, namespace: str, runtime: LockedRuntime) -> None:
        """`runtime` has the runs of all containers."""
        self.jobs: dict[str, Document] = {}
        self.pods: dict[str, Document] = {}
        self.violations: list[str] = []
        self._api = api
        self._namespace = namespace
        self._runtime = runtime
        self._job_epochs: dict[str, int] = {}  # by UID of the job
        self._pod_epochs: dict[str, int] = {}  # the last one, by UID of the job
        self._known_pods: dict[str, str] = {}  # pods by UID, with the UID of their job

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the objects while the context lasts."""
        tasks = [
            asyncio.create_task(self._follow(f"/apis/{identity.API_VERSION}", identity.PLURAL, self.jobs)),
            asyncio.create_task(self._follow("/api/v1", "pods", self.pods)),
        ]
        try:
            yield
        finally:
            await cancel_and_wait(*tasks)

    def take_violations(self, job: str) -> list[str]:
        """Return what has been violated since the last call, with the overlaps of the job's containers."""
        found, self.violations = self.violations, []
        runs = self._runtime.runs(f"{self._namespace}/{job}")
        found += [f"a container of {job} started while another one ran: {run}" for run in runs if run.what == "overlap"]
        epochs: dict[str, list[int]] = defaultdict(list)
        for run in runs:
            if run.what != "end":
                epochs[run.job_uid].append(run.epoch)
        return found + [f"the epochs of {job} do not rise: {each}" for each in epochs.values() if each != sorted(each)]

    async def _follow(self, api_path: str, plural: str, known: dict[str, Document]) -> None:
        path = f"{api_path}/namespaces/{self._namespace}/{plural}"
        while True:
            try:
                listed = await self._api.get(path)
                self._replace(plural, known, listed["items"])
                query = {"resourceVersion": listed["metadata"]["resourceVersion"]}
                async with aclosing(self._api.watch(path, query)) as events:
                    async for event in events:
                        if event["type"] == "ERROR":
                            break
                        self._apply(plural, known, event)
            except (ApiError, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_RETRY_SECONDS)

    def _replace(self, plural: str, known: dict[str, Document], items: list[Document]) -> None:
        gone = {item["metadata"]["name"] for item in items}
        for name in [name for name in known if name not in gone]:
            del known[name]
        for item in items:
            self._apply(plural, known, {"type": "ADDED", "object": item})

    def _apply(self, plural: str, known: dict[str, Document], event: Document) -> None:
        item = event["object"]
        if event["type"] == "BOOKMARK":
            return
        if event["type"] == "DELETED":
            known.pop(item["metadata"]["name"], None)
            self._check_removal(item)
            return
        known[item["metadata"]["name"]] = item
        if plural == "pods":
            self._check_pod(item)
        else:
            self._check_job(item)

    def _check_job(self, job: Document) -> None:
        epoch = job.get("status", {}).get("epoch")
        if epoch is None:
            return
        uid, name = job["metadata"]["uid"], job["metadata"]["name"]
        if epoch < self._job_epochs.get(uid, 0):
            self.violations.append(f"status.epoch of {name} went back from {self._job_epochs[uid]} to {epoch}")
        self._job_epochs[uid] = max(epoch, self._job_epochs.get(uid, 0))

    def _check_removal(self, item: Document) -> None:
        """Check that the container of a pod has ended when the API server forgets the pod.

        The node kills a container whose pod is forgotten, so such a container records no end.
        """
        job, uid = item["metadata"].get("labels", {}).get(identity.JOB_LABEL, ""), item["metadata"]["uid"]
        runs = [run for run in self._runtime.runs(f"{self._namespace}/{job}") if run.pod_uid == uid]
        if runs and runs[-1].what != "end":
            self.violations.append(f"the pod of {job} was forgotten before its container had ended: {uid}")

    def _check_pod(self, pod: Document) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        job = pod["metadata"].get("labels", {}).get(identity.JOB_LABEL, "")
        others = [
            each["metadata"]["name"]
            for each in self.pods.values()
            if each["metadata"].get("labels", {}).get(identity.JOB_LABEL) == job and each["metadata"]["uid"] != uid
        ]
        if job and others:
            self.violations.append(f"two pods of {job} exist: {name} and {', '.join(others)}")
        owners = pod["metadata"].get("ownerReferences")
        if not owners or uid in self._known_pods:
            return
        owner = owners[0]["uid"]
        self._known_pods[uid] = owner
        epoch = int(pod["metadata"]["annotations"][identity.EPOCH_ANNOTATION])
        if epoch <= self._pod_epochs.get(owner, 0):
            self.violations.append(f"the epoch of pod {name} is {epoch}; its predecessor had {self._pod_epochs[owner]}")
        self._pod_epochs[owner] = max(epoch, self._pod_epochs.get(owner, 0))
