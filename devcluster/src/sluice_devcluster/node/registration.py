"""The Node object: the agent registers it once, then renews its lease and its status."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import platform
from importlib.metadata import version

import aiohttp

from sluice_devcluster.api import ApiClient, ApiError, Json
from sluice_devcluster.certificates import NODE_NAME
from sluice_devcluster.node.addresses import HOST
from sluice_devcluster.node.statuses import format_time

LOGGER = logging.getLogger(__name__)
LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_SECONDS = 40
RENEW_SECONDS = 10.0
# The status is renewed with every sixth renewal of the lease.
STATUS_EVERY = 6
RETRY_SECONDS = 0.5
PODS = 500
VERSION = version("sluice-devcluster")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def node_status(port: int, now: dt.datetime) -> Json:
    """Return the status of this node, whose kubelet API listens on `port`."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    capacity = {"cpu": str(os.cpu_count() or 1), "memory": f"{memory}Ki", "pods": str(PODS)}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the node agent runs pods as processes",
        "lastHeartbeatTime": format_time(now),
    }
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "addresses": [
            {"type": "InternalIP", "address": HOST},
            {"type": "Hostname", "address": NODE_NAME},
        ],
        "nodeInfo": _node_info(),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "conditions": [{**ready, "lastTransitionTime": format_time(now)}],
    }


def _node_info() -> Json:
    system = platform.uname()
    runtime = f"process://{VERSION}"
    return {
        "machineID": "",
        "systemUUID": "",
        "bootID": "",
        "kernelVersion": system.release,
        "osImage": platform.freedesktop_os_release().get("PRETTY_NAME", system.system),
        "containerRuntimeVersion": runtime,
        "kubeletVersion": f"devcluster-{VERSION}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": ARCHITECTURES.get(system.machine, system.machine),
    }


def node_object(port: int, now: dt.datetime) -> Json:
    """Return the Node object to register."""
    architecture = _node_info()["architecture"]
    labels = {
        "kubernetes.io/hostname": NODE_NAME,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE_NAME, "labels": labels},
        "spec": {},
        "status": node_status(port, now),
    }


def lease_object(node_uid: str, now: dt.datetime) -> Json:
    """Return the lease whose renewal shows that the node is alive."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": NODE_NAME, "uid": node_uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NODE_NAME, "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": NODE_NAME,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


class NodeRegistration:
    """Registers the node, and renews its lease and its status."""

    def __init__(self, client: ApiClient, port: int) -> None:
        """`port` is the port of the node's kubelet API on 127.0.0.1."""
        self._client = client
        self._port = port

    async def run(self) -> None:
        """Register the node and renew its lease until cancelled; after a failure, begin again."""
        uid = ""
        renewals = 0
        while True:
            try:
                if not uid:
                    uid = await self._register()
                await self._renew_lease(uid)
                if renewals % STATUS_EVERY == 0:
                    await self._refresh_status()
                renewals += 1
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                LOGGER.warning("cannot register or renew the node, retrying: %s", error)
                uid = ""
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await asyncio.sleep(RENEW_SECONDS)

    async def _register(self) -> str:
        try:
            made = await self._client.post("/api/v1/nodes", node_object(self._port, dt.datetime.now(dt.UTC)))
        except ApiError as error:
            if error.status != 409:
                raise
            made = await self._client.get(f"/api/v1/nodes/{NODE_NAME}")
        return str(made["metadata"]["uid"])

    async def _renew_lease(self, uid: str) -> None:
        body = lease_object(uid, dt.datetime.now(dt.UTC))
        try:
            await self._client.patch(f"{LEASE_PATH}/{NODE_NAME}", {"spec": body["spec"]})
        except ApiError as error:
            if error.status != 404:
                raise
            await self._client.post(LEASE_PATH, body)

    async def _refresh_status(self) -> None:
        status = node_status(self._port, dt.datetime.now(dt.UTC))
        await self._client.patch(f"/api/v1/nodes/{NODE_NAME}/status", {"status": status})
