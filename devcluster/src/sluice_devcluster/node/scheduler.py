"""A scheduler for one node, which binds every pod whose node selector matches the node's labels."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.node.informer import Informer
from sluice_devcluster.node.statuses import format_time

LOGGER = logging.getLogger(__name__)
RETRY_SECONDS = 0.5


def unschedulable_reason(pod: Json, labels: dict[str, str]) -> str | None:
    """Return why a pod cannot run on a node with these labels, in the scheduler's words; None if it can."""
    wanted = pod["spec"].get("nodeSelector") or {}
    if all(labels.get(key) == value for key, value in wanted.items()):
        return None
    return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."


class Scheduler:
    """Binds pending pods to this node, and tries the others again when the node's labels change."""

    def __init__(self, client: ApiClient) -> None:
        """The client has the scheduler's own identity."""
        self._client = client
        self._pending: dict[str, Json] = {}
        self._labels: dict[str, str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Bind pods until cancelled."""
        node = {"fieldSelector": f"metadata.name={NODE_NAME}"}
        pods = {"fieldSelector": "spec.nodeName=,status.phase=Pending"}
        await asyncio.gather(
            Informer(self._client, "/api/v1/nodes", node, self._on_node_changed).run(),
            Informer(self._client, "/api/v1/pods", pods, self._on_pod_changed).run(),
        )

    def _on_node_changed(self, node: Json, gone: bool) -> None:
        labels = None if gone else dict(node["metadata"].get("labels") or {})
        if labels != self._labels:
            self._labels = labels
            for pod in self._pending.values():
                self._bind_or_mark_unschedulable(pod)

    def _on_pod_changed(self, pod: Json, gone: bool) -> None:
        uid = pod["metadata"]["uid"]
        if gone:
            self._pending.pop(uid, None)
            return
        known = self._pending.get(uid)
        self._pending[uid] = pod
        # Ignore changes of the status only: most of them come from this scheduler.
        if known is None or known["spec"] != pod["spec"]:
            self._bind_or_mark_unschedulable(pod)

    def _bind_or_mark_unschedulable(self, pod: Json) -> None:
        gated = bool(pod["spec"].get("schedulingGates"))
        foreign = pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler"
        if self._labels is None or gated or foreign or pod["metadata"].get("deletionTimestamp"):
            return
        refusal = unschedulable_reason(pod, self._labels)
        work = self._bind(pod) if refusal is None else self._mark_unschedulable(pod, refusal)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bind(self, pod: Json) -> None:
        metadata = pod["metadata"]
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE_NAME}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": target,
        }
        while metadata["uid"] in self._pending:
            try:
                await self._client.post(f"{_pod_path(pod)}/binding", binding)
            except ApiError as error:
                if error.status not in {404, 409}:
                    LOGGER.warning("cannot bind pod %s: %s", metadata["name"], error)
                return
            except (aiohttp.ClientError, TimeoutError) as error:
                LOGGER.warning("cannot bind pod %s: %s", metadata["name"], error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _mark_unschedulable(self, pod: Json, message: str) -> None:
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastTransitionTime": format_time(dt.datetime.now(dt.UTC)),
        }
        try:
            await self._client.patch(f"{_pod_path(pod)}/status", {"status": {"conditions": [condition]}})
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOGGER.warning("cannot mark pod %s as unschedulable: %s", pod["metadata"]["name"], error)


def _pod_path(pod: Json) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
