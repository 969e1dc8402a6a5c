"""Events about pods, for `kubectl describe` and `kubectl get events`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.node.statuses import stamp

LOGGER = logging.getLogger(__name__)


class Recorder:
    """Writes events in the background; one that cannot be written is logged and forgotten."""

    def __init__(self, client: ApiClient) -> None:
        """Writes with the node's own identity."""
        self._client = client
        self._tasks: set[asyncio.Task[None]] = set()

    def record(self, pod: Json, reason: str, message: str, *, warning: bool = False) -> None:
        """Records an event about a pod."""
        now = stamp(dt.datetime.now(dt.UTC))
        metadata = pod["metadata"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name'][:200]}.{uuid.uuid4().hex[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "source": {"component": "kubelet", "host": NODE_NAME},
            "reportingComponent": "kubelet",
            "reportingInstance": NODE_NAME,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        task = asyncio.get_running_loop().create_task(self._write(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, event: Json) -> None:
        try:
            await self._client.post(f"/api/v1/namespaces/{event['metadata']['namespace']}/events", event)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOGGER.info("event %s was not written: %s", event["reason"], error)
