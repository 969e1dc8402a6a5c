"""The three processes of the control plane: etcd, kube-apiserver and kube-controller-manager."""

from __future__ import annotations

import asyncio
import base64
import random
import socket
import time
from pathlib import Path

import aiohttp
import msgspec

from sluice_devcluster import processes
from sluice_devcluster.api import ApiClient, ApiError
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import ClusterSettings, StateDirectory

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager")
READY_SECONDS = 90.0
# Below the kernel's range for outgoing connections, so that none of them takes a port between its choice and its use.
PORTS = range(20000, 32000)


def find_free_port() -> int:
    """Return a free TCP port of 127.0.0.1; raise DevclusterError if 200 random ports are all in use."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DevclusterError("No free TCP port was found between 20000 and 32000 on 127.0.0.1.")


def etcd_arguments(state: StateDirectory, settings: ClusterSettings) -> list[str]:
    """Return the arguments of a single etcd member without fsync, because its data need not survive the cluster."""
    client = f"https://127.0.0.1:{settings.etcd_client_port}"
    peer = f"http://127.0.0.1:{settings.etcd_peer_port}"
    return [
        "--name=devcluster",
        f"--data-dir={state.etcd_data_directory}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=devcluster={peer}",
        f"--cert-file={state.pki}/etcd.crt",
        f"--key-file={state.pki}/etcd.key",
        f"--trusted-ca-file={state.pki}/ca.crt",
        "--client-cert-auth",
        "--unsafe-no-fsync",
        "--log-level=warn",
        # A single member has no peers to wait for; the default election timeout would delay each start by a second.
        "--heartbeat-interval=20",
        "--election-timeout=200",
    ]


def apiserver_arguments(state: StateDirectory, settings: ClusterSettings) -> list[str]:
    """Return the arguments of kube-apiserver.

    Authorization is Node and RBAC; admission is the default plug-ins (among them Pod Security) and NodeRestriction.
    """
    pki = state.pki
    return [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={settings.apiserver_port}",
        f"--etcd-servers=https://127.0.0.1:{settings.etcd_client_port}",
        f"--etcd-cafile={pki}/ca.crt",
        f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
        f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # Loopback addresses are not valid endpoints of the kubernetes Service, which no pod can reach anyway.
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]


def controller_manager_arguments(state: StateDirectory) -> list[str]:
    """Return the arguments of kube-controller-manager: all default controllers, with raised rate limits."""
    kubeconfig = state.pki / "controller-manager.kubeconfig"
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={state.pki}/sa.key",
        f"--root-ca-file={state.pki}/ca.crt",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--kube-api-qps=300",
        "--kube-api-burst=500",
        "--profiling=false",
    ]


def kubeconfig_content(port: int, pki: Path, identity: str) -> bytes:
    """Return a kubeconfig with the identity's key inside, so that it needs no other file; JSON, which is valid YAML."""

    def inline(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": inline("ca.crt")}
    user = {
        "client-certificate-data": inline(f"{identity}.crt"),
        "client-key-data": inline(f"{identity}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "devcluster", "cluster": cluster}],
        "users": [{"name": identity, "user": user}],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": identity}}],
        "current-context": "devcluster",
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def write_kubeconfig(path: Path, port: int, pki: Path, identity: str) -> None:
    """Write a kubeconfig that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(kubeconfig_content(port, pki, identity))


def start_component(state: StateDirectory, component: str, program: Path, arguments: list[str]) -> None:
    """Start a component as a detached process, with its log and its record in the state directory."""
    processes.start_process([str(program), *arguments], state.log_file(component), state.record_file(component))


async def wait_until_ready(state: StateDirectory, client: ApiClient) -> None:
    """Wait until the API server's /readyz answers ok.

    Raises DevclusterError, with the end of the log, if the API server or etcd dies, or after 90 seconds.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not await is_ready(client):
        for component in COMPONENTS[:2]:
            require_alive(state, component)
        if time.monotonic() > deadline:
            log = processes.log_tail(state.log_file("kube-apiserver"))
            raise DevclusterError(f"kube-apiserver was not ready within {READY_SECONDS:.0f} s:\n{log}")
        await asyncio.sleep(0.05)


async def is_ready(client: ApiClient) -> bool:
    """Return True if the API server answers /readyz with ok."""
    try:
        return await client.get_text("/readyz") == "ok"
    except (aiohttp.ClientError, TimeoutError, ApiError):
        return False


def require_alive(state: StateDirectory, component: str) -> None:
    """Raise DevclusterError, with the end of the log, if a component that was started has died."""
    if not processes.is_alive(processes.load_record(state.record_file(component))):
        raise DevclusterError(f"{component} has died:\n{processes.log_tail(state.log_file(component))}")
