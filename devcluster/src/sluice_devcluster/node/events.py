"""Events about pods, for `kubectl describe` and `kubectl get events`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import uuid

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.node.statuses import format_time

REMEMBERED = 1000
LOGGER = logging.getLogger(__name__)


class EventRecorder:
    """Writes events in the background; logs and drops an event that cannot be written."""

    def __init__(self, client: ApiClient) -> None:
        """The client writes with the node's own identity."""
        self._client = client
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: dict[tuple[str, str, str], tuple[str, int]] = {}

    def record_event(self, pod: Json, reason: str, message: str, *, warning: bool = False) -> None:
        """Record an event about a pod; a repeated event increases the count of the first, as in the kubelet."""
        if len(self._counts) > REMEMBERED:
            self._counts.clear()
        key = (pod["metadata"]["uid"], reason, message)
        name, count = self._counts.get(key, (f"{pod['metadata']['name'][:200]}.{uuid.uuid4().hex[:16]}", 0))
        self._counts[key] = (name, count + 1)
        event = _event_object(pod, name, (reason, message), warning=warning)
        write = self._update_event_count(event, count + 1) if count else self._create_event(event)
        task = asyncio.get_running_loop().create_task(write)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _create_event(self, event: Json) -> None:
        try:
            await self._client.post(_collection_path(event), event)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOGGER.info("event %s not written: %s", event["reason"], error)

    async def _update_event_count(self, event: Json, count: int) -> None:
        path = f"{_collection_path(event)}/{event['metadata']['name']}"
        try:
            await self._client.patch(path, {"count": count, "lastTimestamp": event["lastTimestamp"]})
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            LOGGER.info("count of event %s not updated: %s", event["reason"], error)


def _collection_path(event: Json) -> str:
    return f"/api/v1/namespaces/{event['metadata']['namespace']}/events"


def _event_object(pod: Json, name: str, words: tuple[str, str], *, warning: bool) -> Json:
    now = format_time(dt.datetime.now(dt.UTC))
    metadata = pod["metadata"]
    reference = {"apiVersion": "v1", "kind": "Pod"}
    reference |= {key: metadata[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": reference,
        "reason": words[0],
        "message": words[1],
        "type": "Warning" if warning else "Normal",
        "source": {"component": "kubelet", "host": NODE_NAME},
        "reportingComponent": "kubelet",
        "reportingInstance": NODE_NAME,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
