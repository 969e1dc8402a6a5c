"""A devcluster whose nodes kwok simulates, and the Go programs of the benchmark of the operator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench import pod
from bench.api_server_process import ApiServerProcess
from sluice_contract import identity
from sluice_devcluster import binaries, controlplane
from sluice_devcluster.api import ApiClient, ApiError
from sluice_devcluster.cluster import AGENT, AGENT_GRACE_SECONDS
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.processes import stop_processes
from sluice_manifests.go_programs import GoProgram, find_or_build_programs
from support.cluster import cluster_without_operator
from support.eventually import eventually

_FOLDER = Path(__file__).parent
_KWOK = GoProgram(
    "kwok", _FOLDER / "kwok_program", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok", may_be_installed=False
)
_PROGRAM = GoProgram(
    "operator_program", _FOLDER / "operator_program", ".", "sigs.k8s.io/controller-runtime", may_be_installed=False
)
_NODE = "kwok-0"
_START_SECONDS = 60.0


class BurstFigures(msgspec.Struct, frozen=True, rename="camel"):
    """What the Go program prints about jobs and pods. Times are in seconds."""

    pods_seconds: float = 0.0
    settled_seconds: float = 0.0
    writes: int = 0
    pods: int = 0
    deleted: int = 0
    latencies: list[float] = []


class SimulatedCluster:
    """A cluster whose pods are scheduled and run at once, without any process."""

    def __init__(self, state: StateDirectory, api: ApiClient, program: Path) -> None:
        self.state = state
        self.api = api
        self.program = program

    @property
    def api_server(self) -> ApiServerProcess:
        """The process of the API server, which is another one after `restart_api_server`."""
        return ApiServerProcess(self.state)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program that uses the administrator's account."""
        return {"KUBECONFIG": str(self.state.kubeconfig_file)}

    async def run(self, command: str, *flags: str, seconds: float = 600.0) -> BurstFigures:
        """Run a command of the Go program to its end, and return what it prints.

        Raises:
            RuntimeError: it fails.
            TimeoutError: it takes longer than `seconds`.
        """
        process = await asyncio.create_subprocess_exec(
            self.program,
            command,
            *flags,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise RuntimeError(f"{command}: {errors.decode()}")
        return msgspec.json.decode(output.splitlines()[-1], type=BurstFigures)

    @asynccontextmanager
    async def observed(self, found: list[BurstFigures]) -> AsyncIterator[None]:
        """Append to `found` what changed while the context lasts."""
        process = await asyncio.create_subprocess_exec(
            self.program, "observe", env=self.environment, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()  # it has listed everything
        try:
            yield
        finally:
            process.terminate()
            output, _ = await process.communicate()
        found.append(msgspec.json.decode(output.splitlines()[-1], type=BurstFigures))

    async def lease_holder(self, name: str) -> str:
        """Return who holds a Lease of the namespace default; empty if it has no holder."""
        try:
            lease = await self.api.get(f"/apis/coordination.k8s.io/v1/namespaces/default/leases/{name}")
        except ApiError:
            return ""
        return str(lease["spec"].get("holderIdentity") or "")

    async def create_job(self, name: str) -> None:
        """Create a job with documents of its own in the namespace default."""
        own = {"heartbeat": {"document": name}, "firestore": {"liveQuotesCollection": name.replace("-", "_")}}
        body: dict[str, Any] = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"tenant": "default", "provider": "synthetic", "symbols": ["SPY"], **own},
        }
        await self.api.post(f"/apis/{identity.API_VERSION}/namespaces/default/{identity.PLURAL}", body)

    async def wait_for_pod(self, job: str, seconds: float) -> None:
        """Wait until the job of the namespace default has a pod."""

        async def exists() -> bool:
            try:
                await self.api.get(f"/api/v1/namespaces/default/pods/{identity.pod_name(job)}")
            except ApiError:
                return False
            return True

        await eventually(exists, seconds)

    def stop_api_server(self) -> None:
        """End the process of the API server, so that its port refuses connections."""
        stop_processes([self.state.record_file("kube-apiserver")], 1.0)

    async def restart_api_server(self) -> None:
        """Start the API server again, and wait until it is ready."""
        settings = self.state.load_settings()
        assert settings is not None
        server = binaries.provide_binaries(lambda _: None).apiserver
        arguments = controlplane.apiserver_arguments(self.state, settings)
        controlplane.start_component(self.state, "kube-apiserver", server, arguments)
        await controlplane.wait_until_ready(self.state, self.api)


@asynccontextmanager
async def simulated_cluster(folder: Path) -> AsyncIterator[SimulatedCluster]:
    """Run a cluster with the CRDs, one simulated node and no operator. `folder` is for its state and the logs."""
    kwok, program = await asyncio.to_thread(find_or_build_programs, (_KWOK, _PROGRAM), print)
    with cluster_without_operator(folder / "devcluster") as state:
        stop_processes([state.record_file(AGENT)], AGENT_GRACE_SECONDS)  # it would run the pods
        settings = state.load_settings()
        assert settings is not None
        environment = {"KUBECONFIG": str(state.kubeconfig_file)}
        commands = {
            "kwok": [str(kwok), f"--kubeconfig={state.kubeconfig_file}", f"--manage-single-node={_NODE}"],
            "scheduler": [str(program), "scheduler", f"--node={_NODE}"],
        }
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(ApiClient(settings.apiserver_port, state.pki, "admin"))
            await api.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _NODE}})
            for name, command in commands.items():
                await stack.enter_async_context(pod.program(command, environment, folder / f"{name}.log"))
            await eventually(lambda: _node_is_ready(api), _START_SECONDS)
            yield SimulatedCluster(state, api, program)


async def _node_is_ready(api: ApiClient) -> bool:
    node = await api.get(f"/api/v1/nodes/{_NODE}")
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def printed(figures: BurstFigures) -> str:
    """Return the figures as one line of JSON without the single latencies."""
    return json.dumps({name: value for name, value in msgspec.to_builtins(figures).items() if name != "latencies"})
