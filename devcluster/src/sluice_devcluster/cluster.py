"""One devcluster as a whole: bringing it up, taking it down, saying how it is."""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from sluice_devcluster import binaries, certificates, controlplane, emulator, objects, processes
from sluice_devcluster.api import ApiClient, ApiError
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import Settings, StateDirectory
from sluice_manifests.toolchain import ReportProgress

AGENT = "node-agent"
# Longer than the default grace period of a pod, which the agent honours when it is told to stop.
AGENT_GRACE_SECONDS = 45.0
NODE_SECONDS = 60.0


@dataclass(frozen=True)
class Wishes:
    """What the person at the terminal asked of `up`."""

    crds: Path | None = None
    bin_dir: Path | None = None
    emulator: bool = False
    restart_backoff_seconds: float = 10.0


@contextmanager
def exclusively(state: StateDirectory) -> Iterator[None]:
    """Holds the state directory's lock; a second command waits for the first."""
    state.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with state.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def up(state: StateDirectory, wishes: Wishes, report: ReportProgress) -> None:
    """Brings the cluster up, or completes it when parts of it run; returns when it can be used.

    Raises DevclusterError when a component cannot be built, started or does not become ready.
    """
    if wishes.emulator:
        emulator.require_installed()
    programs = await asyncio.to_thread(binaries.provide, report)
    settings = state.load()
    fresh = settings is None or not await _control_plane_is_healthy(state, settings)
    if settings is None or fresh:
        _clean(state, report)
        settings = _prepare(state)
        controlplane.start(state, "etcd", programs.etcd, controlplane.etcd_arguments(state, settings))
        arguments = controlplane.apiserver_arguments(state, settings)
        controlplane.start(state, "kube-apiserver", programs.apiserver, arguments)
    elif _alive(state, AGENT):
        report("already up and healthy")
    try:
        await _complete(state, settings, wishes, (programs, report))
    except (DevclusterError, ApiError, aiohttp.ClientError, TimeoutError) as error:
        # Half a cluster is of no use to anybody; its logs stay.
        if fresh:
            down(state, report)
        if isinstance(error, DevclusterError):
            raise
        tail = processes.log_tail(state.log("kube-apiserver"))
        raise DevclusterError(f"The API server failed: {error or type(error).__name__}\n{tail}") from error


async def _complete(
    state: StateDirectory, settings: Settings, wishes: Wishes, tools: tuple[binaries.Binaries, ReportProgress]
) -> None:
    programs, report = tools
    if wishes.emulator:
        _start_emulator(state, settings)
    if not _alive(state, AGENT):
        settings.restart_backoff_seconds = wishes.restart_backoff_seconds
        settings.bin_dir = str(wishes.bin_dir.resolve()) if wishes.bin_dir else None
    state.save(settings)
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as client:
        await controlplane.wait_until_ready(state, client)
        report("API server ready")
        if wishes.crds is not None:
            count = await objects.apply_definitions(client, wishes.crds)
            report(f"{count} custom resource definitions established")
        await objects.grant_the_node(client)
        if not _alive(state, "kube-controller-manager"):
            arguments = controlplane.controller_manager_arguments(state)
            controlplane.start(state, "kube-controller-manager", programs.controller_manager, arguments)
        since = dt.datetime.fromtimestamp(0, dt.UTC)
        if not _alive(state, AGENT):
            since = dt.datetime.now(dt.UTC)
            start_agent(state)
        await _wait_for_node(state, client, since)
        report("node ready")
    if settings.firestore_emulator_host is not None:
        host = settings.firestore_emulator_host
        await emulator.wait_until_it_answers(state, host, ours=settings.emulator_is_ours)
        report(f"Firestore emulator answers at {host}")


def down(state: StateDirectory, report: ReportProgress) -> None:
    """Stops the node agent first, with its pods, then everything else that `up` started, and nothing besides.

    Pods can still reach the API server and the emulator while they end.
    """
    if _alive(state, AGENT):
        report("stopping the node agent and its pods")
    processes.stop_all([state.record(AGENT)], AGENT_GRACE_SECONDS)
    processes.kill_leftovers(state.node_processes)
    others = [state.record(name) for name in (*reversed(controlplane.COMPONENTS), emulator.COMPONENT)]
    processes.stop_all(others, 1.0)
    shutil.rmtree(state.etcd_data, ignore_errors=True)
    (state.root / "settings.json").unlink(missing_ok=True)
    report("down")


def start_agent(state: StateDirectory) -> None:
    """Starts the node agent, detached."""
    # The agent's own environment stays small; that of its pods is built from nothing.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-m", "sluice_devcluster.node", "--state", str(state.root)]
    processes.start(argv, state.log(AGENT), state.record(AGENT), environment)


def status(state: StateDirectory) -> tuple[bool, list[str]]:
    """Whether everything that was started runs, and one line for each component."""
    settings = state.load()
    if settings is None:
        return False, ["down"]
    names = [*controlplane.COMPONENTS, AGENT]
    if settings.emulator_is_ours:
        names.append(emulator.COMPONENT)
    lines, healthy = [], True
    for name in names:
        record = processes.load_record(state.record(name))
        alive = record is not None and processes.is_alive(record)
        healthy = healthy and alive
        lines.append(f"{name:24} {f'running, process {record.pid}' if record and alive else 'dead'}")
    lines.append(f"{'API server':24} https://127.0.0.1:{settings.apiserver_port}")
    lines.append(f"{'kubeconfig':24} {state.kubeconfig}")
    lines.append(f"{'Firestore emulator':24} {settings.firestore_emulator_host or 'not asked for'}")
    return healthy, lines


def _alive(state: StateDirectory, component: str) -> bool:
    return processes.is_alive(processes.load_record(state.record(component)))


async def _control_plane_is_healthy(state: StateDirectory, settings: Settings) -> bool:
    if not all(_alive(state, component) for component in controlplane.COMPONENTS):
        return False
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as client:
        return await controlplane.is_ready(client)


def _clean(state: StateDirectory, report: ReportProgress) -> None:
    if state.load() is not None:
        report("cleaning up after an earlier one that did not end well")
        down(state, report)
    for directory in (state.etcd_data, state.node, state.pki, state.records, state.root / "log"):
        shutil.rmtree(directory, ignore_errors=True)


def _prepare(state: StateDirectory) -> Settings:
    certificates.write_all(state.pki)
    settings = Settings(
        apiserver_port=controlplane.free_port(),
        etcd_client_port=controlplane.free_port(),
        etcd_peer_port=controlplane.free_port(),
    )
    state.save(settings)
    port = settings.apiserver_port
    controlplane.write_kubeconfig(state.kubeconfig, port, state.pki, "admin")
    internal = state.pki / "controller-manager.kubeconfig"
    controlplane.write_kubeconfig(internal, port, state.pki, "controller-manager")
    return settings


def _start_emulator(state: StateDirectory, settings: Settings) -> None:
    if settings.emulator_is_ours and _alive(state, emulator.COMPONENT):
        return
    elsewhere = emulator.running_elsewhere()
    settings.emulator_is_ours = elsewhere is None
    settings.firestore_emulator_host = elsewhere or emulator.start(state)


async def _wait_for_node(state: StateDirectory, client: ApiClient, since: dt.datetime) -> None:
    deadline = time.monotonic() + NODE_SECONDS
    while not await objects.is_usable(client, since):
        for component in (*controlplane.COMPONENTS, AGENT):
            controlplane.require_alive(state, component)
        if time.monotonic() > deadline:
            log = processes.log_tail(state.log(AGENT))
            raise DevclusterError(f"The node was not ready within {NODE_SECONDS:.0f} s:\n{log}")
        await asyncio.sleep(0.05)
