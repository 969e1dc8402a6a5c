"""The jobs that the bench `stops` starts and stops: one IngestJob in a namespace of its own for each cell."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.documents import quote_documents
from bench.watch_events import WatchEvent
from sluice_contract import identity
from sluice_devcluster import binaries
from sluice_devcluster.api import APPLY, MERGE, ApiClient, ApiError
from sluice_devcluster.controlplane import write_kubeconfig
from sluice_devcluster.emulator_documents import PROJECT, read_collection
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.eventually import eventually
from support.site import streaming_from
from support.tcp_forwarder import tcp_forwarder
from support.upstream import Upstream

TOKEN = "bench-token"
START_SECONDS = 90.0
END_SECONDS = 60.0
_LIMITS = {"minIntervalMilliseconds": 100, "writesPerSecond": 50, "burst": 50, "flushIntervalMilliseconds": 50}
_OWNER = {"fieldManager": "bench", "force": "true"}


@dataclass(frozen=True)
class BenchCluster:
    """One devcluster with Sluice, and the provider of all jobs.

    `api` and `kubectl` reach the API server from a source address of their own: see bench.stop_faults.
    """

    site: Quickstart
    state: StateDirectory
    upstream: Upstream
    api: ApiClient
    kubectl: Kubectl
    api_port: int
    emulator_port: int


class JobWatch:
    """The states of one IngestJob, each with the Unix seconds at which the bench's own watch reported it."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self.events: list[WatchEvent] = []
        self._api = api
        self._path = collection_path(namespace)

    async def run(self) -> None:
        """Watch until cancelled. A watch that the API server ends is started again."""
        while True:
            with suppress(ApiError, aiohttp.ClientError, TimeoutError):
                async for event in self._api.watch(self._path, {}):
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self.events.append(WatchEvent(time.time(), event["object"]))
            await asyncio.sleep(0.2)

    def first_time(self, holds: Callable[[WatchEvent], bool], since: float) -> float | None:
        """Return when the watch first reported a state of which `holds` is true, after `since`."""
        return next((each.at for each in self.events if each.at >= since and holds(each)), None)


@dataclass
class StopJob:
    """One job: two symbols that no other job has, streamed from the protocol server."""

    cluster: BenchCluster
    name: str
    engine: str
    finalizers: list[str]
    watch: JobWatch = field(init=False)
    uid: str = ""
    pod: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = JobWatch(self.cluster.api, self.name)

    @property
    def symbols(self) -> list[str]:
        """The symbols, which distinguish the provider's connections of this job from those of other jobs."""
        return [f"{self.name.upper()}A", f"{self.name.upper()}B"]

    @property
    def path(self) -> str:
        """The path of the IngestJob in the API."""
        return f"{collection_path(self.name)}/{self.name}"

    @property
    def pod_path(self) -> str:
        """The path of the job's pod in the API."""
        return f"/api/v1/namespaces/{self.name}/pods/{identity.pod_name(self.name)}"

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return the job as its owner's file has it, with `changes` of its spec."""
        streaming = streaming_from(self.cluster.upstream)
        streaming["alpaca"] = {**_mapping(streaming["alpaca"]), "engine": self.engine}
        spec = {
            "tenant": self.name,
            "symbols": self.symbols,
            "limits": _LIMITS,
            "heartbeat": {"intervalSeconds": 1},
            "http": {"tokenSecretRef": {"name": "http"}},
            **streaming,
            **changes,
        }
        metadata: dict[str, Any] = {"name": self.name, "namespace": self.name}
        if self.finalizers:
            metadata["finalizers"] = self.finalizers
        return {"apiVersion": identity.API_VERSION, "kind": identity.KIND, "metadata": metadata, "spec": spec}

    async def apply(self, *arguments: str, **changes: Any) -> int:
        """Run `kubectl apply` on the document with `changes` of its spec; returns the generation that results."""
        text = json.dumps(self.document(**changes))
        printed = await asyncio.to_thread(
            self.cluster.kubectl, "apply", *arguments, "--filename=-", "--output=json", text=text
        )
        return int(json.loads(printed)["metadata"]["generation"])

    async def patch(self, change: dict[str, Any], subresource: str = "") -> int:
        """Send a merge patch; returns the generation that results."""
        changed = await self.cluster.api.patch(self.path + subresource, change, MERGE)
        return int(changed["metadata"]["generation"])

    async def start(self, *arguments: str) -> None:
        """Create the job by `kubectl apply` with `arguments`, and wait until quotes of all its symbols are written.

        Raises:
            AssertionError: that takes longer than 90 s.
        """
        await self._create_namespace()
        await self.apply(*arguments)
        await eventually(self._is_streaming, START_SECONDS)
        self.uid = (await self.cluster.api.get(self.path))["metadata"]["uid"]
        self.pod = await self.cluster.api.get(self.pod_path)

    async def connections(self) -> list[dict[str, Any]]:
        """Return the provider's record of the connections that ever subscribed to this job's symbols."""
        record = await asyncio.to_thread(self.cluster.upstream.record)
        mine = {each["connection"] for each in record["subscriptions"] if self._is_mine(each["channels"])}
        history = [each for each in record["subscriptions"] if each["connection"] in mine]
        return [
            {**each, "history": [entry for entry in history if entry["connection"] == each["id"]]}
            for each in record["connections"]
            if each["id"] in mine
        ]

    async def documents(self) -> list[dict[str, Any]]:
        """Return the quote documents with the emulator's own times."""
        return await asyncio.to_thread(quote_documents, self.cluster.site.emulator, PROJECT, self.name)

    async def heartbeat_status(self) -> str:
        """Return the status in the heartbeat document."""
        found = await asyncio.to_thread(read_collection, self.cluster.site.emulator, f"tenants/{self.name}/ops")
        return str(found[0]["status"]) if found else ""

    async def pod_is_gone(self) -> bool:
        """Return whether the API server has no pod of this job."""
        try:
            await self.cluster.api.get(self.pod_path)
        except ApiError as error:
            return error.status == 404
        return False

    async def remove(self) -> None:
        """Delete the job and its pod, whatever state they are in.

        Raises:
            AssertionError: the pod is still there after 60 s.
        """
        with suppress(ApiError):
            await self.patch({"metadata": {"finalizers": None}})
        with suppress(ApiError):
            await self.cluster.api.delete(self.path, {})
        await eventually(self.pod_is_gone, END_SECONDS)

    async def _create_namespace(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted", identity.TENANT_LABEL: self.name}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name, "labels": labels}}
        await self.cluster.api.patch(f"/api/v1/namespaces/{self.name}", namespace, APPLY, _OWNER)
        await self._create_secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
        await self._create_secret("http", **{identity.TOKEN_KEY: TOKEN})

    async def _create_secret(self, name: str, **values: str) -> None:
        metadata = {"name": name, "namespace": self.name}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}
        await self.cluster.api.patch(f"/api/v1/namespaces/{self.name}/secrets/{name}", secret, APPLY, _OWNER)

    async def _is_streaming(self) -> bool:
        connected = any(each["closed"] is None for each in await self.connections())
        return connected and len(await self.documents()) == len(self.symbols)

    def _is_mine(self, channels: dict[str, list[str]]) -> bool:
        return bool(set(self.symbols) & set(channels.get("quotes", ())))


def collection_path(namespace: str) -> str:
    """Return the path of the IngestJobs of a namespace."""
    return f"/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"


@asynccontextmanager
async def watched_jobs(jobs: Sequence[StopJob]) -> AsyncIterator[None]:
    """Watch the jobs, which need not exist yet, and delete them at the end of the context."""
    watching = [asyncio.create_task(each.watch.run()) for each in jobs]
    try:
        yield
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await asyncio.gather(*(each.remove() for each in jobs))


@asynccontextmanager
async def bench_cluster(site: Quickstart, state: StateDirectory, source_address: str) -> AsyncIterator[BenchCluster]:
    """The cluster with a provider, and a path to the API server whose packets come from `source_address`."""
    settings = state.load_settings()
    assert settings is not None
    with Upstream("--quotes-per-second", "200", "--connections", "1000") as upstream:
        async with (
            tcp_forwarder(settings.apiserver_port, source_address) as port,
            ApiClient(port, state.pki, "admin") as api,
        ):
            kubeconfig = state.root / "kubeconfig-of-the-bench"
            write_kubeconfig(kubeconfig, port, state.pki, "admin")
            yield BenchCluster(
                site=site,
                state=state,
                upstream=upstream,
                api=api,
                kubectl=Kubectl(binaries.provide_binaries(lambda _: None).kubectl, kubeconfig),
                api_port=settings.apiserver_port,
                emulator_port=int(site.emulator.rpartition(":")[2]),
            )


def _mapping(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
