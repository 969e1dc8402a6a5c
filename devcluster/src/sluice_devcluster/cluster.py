"""The devcluster as a whole: starting it, stopping it, and reporting its status."""

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

from sluice_devcluster import binaries, certificates, controlplane, dashboard, emulator, objects, processes
from sluice_devcluster.api import ApiClient, ApiError
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import ClusterSettings, StateDirectory
from sluice_manifests.toolchain import ReportProgress

AGENT = "node-agent"
# Longer than the default grace period of a pod, because the agent waits for its pods before it exits.
AGENT_GRACE_SECONDS = 45.0
NODE_SECONDS = 60.0


@dataclass(frozen=True)
class UpOptions:
    """The options of the command `up`."""

    crds: Path | None = None
    bin_dir: Path | None = None
    emulator: bool = False
    rules: Path | None = None
    restart_backoff_seconds: float = 10.0


@contextmanager
def hold_lock(state: StateDirectory) -> Iterator[None]:
    """Hold the lock of the state directory; a second command waits until the first releases it."""
    state.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with state.lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def up(state: StateDirectory, options: UpOptions, report: ReportProgress) -> None:
    """Start the cluster, or the parts of it that do not run; return when the cluster is usable.

    Raises DevclusterError if a component cannot be built or started, or does not become ready.
    """
    if options.emulator:
        emulator.require_installed()
    programs = await asyncio.to_thread(binaries.provide_binaries, report)
    settings = state.load_settings()
    fresh = settings is None or not await _control_plane_is_healthy(state, settings)
    if settings is None or fresh:
        _remove_leftovers(state, report)
        settings = _create_settings(state)
        controlplane.start_component(state, "etcd", programs.etcd, controlplane.etcd_arguments(state, settings))
        arguments = controlplane.apiserver_arguments(state, settings)
        controlplane.start_component(state, "kube-apiserver", programs.apiserver, arguments)
    elif _is_alive(state, AGENT):
        report("already up and healthy")
    try:
        await _start_missing_parts(state, settings, options, (programs, report))
    except (DevclusterError, ApiError, aiohttp.ClientError, TimeoutError) as error:
        # Stop the parts of a cluster that did not start completely, but keep their logs.
        if fresh:
            down(state, report)
        if isinstance(error, DevclusterError):
            raise
        tail = processes.log_tail(state.log_file("kube-apiserver"))
        raise DevclusterError(f"The API server failed: {error or type(error).__name__}\n{tail}") from error


async def _start_missing_parts(
    state: StateDirectory,
    settings: ClusterSettings,
    options: UpOptions,
    tools: tuple[binaries.Binaries, ReportProgress],
) -> None:
    programs, report = tools
    if options.emulator:
        _start_emulator(state, settings, options.rules, report)
    if not _is_alive(state, AGENT):
        settings.restart_backoff_seconds = options.restart_backoff_seconds
        settings.bin_dir = str(options.bin_dir.resolve()) if options.bin_dir else None
    state.save_settings(settings)
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as client:
        await controlplane.wait_until_ready(state, client)
        report("API server ready")
        if options.crds is not None:
            count = await objects.apply_crds(client, options.crds)
            report(f"{count} custom resource definitions established")
        await objects.grant_node_read_access(client)
        if not _is_alive(state, "kube-controller-manager"):
            arguments = controlplane.controller_manager_arguments(state)
            controlplane.start_component(state, "kube-controller-manager", programs.controller_manager, arguments)
        since = dt.datetime.fromtimestamp(0, dt.UTC)
        if not _is_alive(state, AGENT):
            since = dt.datetime.now(dt.UTC)
            start_agent(state)
        await _wait_for_node(state, client, since)
        report("node ready")
    if settings.firestore_emulator_host is not None:
        host = settings.firestore_emulator_host
        await emulator.wait_until_answering(state, host, ours=settings.emulator_is_ours)
        report(f"Firestore emulator answers at {host}")


def down(state: StateDirectory, report: ReportProgress) -> None:
    """Stop the dashboard, the node agent with its pods, then the other processes that `up` started, and no others.

    In this order, pods can still reach the API server and the emulator while they end.
    """
    dashboard.stop_page_server(state)
    if _is_alive(state, AGENT):
        report("stopping the node agent and its pods")
    processes.stop_processes([state.record_file(AGENT)], AGENT_GRACE_SECONDS)
    processes.kill_recorded_process_groups(state.node_processes_directory)
    others = [state.record_file(name) for name in (*reversed(controlplane.COMPONENTS), emulator.COMPONENT)]
    processes.stop_processes(others, 1.0)
    shutil.rmtree(state.etcd_data_directory, ignore_errors=True)
    state.delete_settings()
    report("cluster stopped")


def start_agent(state: StateDirectory) -> None:
    """Start the node agent as a detached process."""
    # The agent gets only these variables; pods inherit none of them.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-m", "sluice_devcluster.node", "--state", str(state.root)]
    processes.start_process(argv, state.log_file(AGENT), state.record_file(AGENT), environment)


def status(state: StateDirectory) -> tuple[bool, list[str]]:
    """Return True if all started processes run, else False, and one line of text for each component."""
    settings = state.load_settings()
    if settings is None:
        return False, ["down"]
    names = [*controlplane.COMPONENTS, AGENT]
    if settings.emulator_is_ours:
        names.append(emulator.COMPONENT)
    if settings.dashboard_url is not None:
        names.append(dashboard.COMPONENT)
    lines, healthy = [], True
    for name in names:
        record = processes.load_record(state.record_file(name))
        alive = record is not None and processes.is_alive(record)
        healthy = healthy and alive
        lines.append(f"{name:24} {f'running, process {record.pid}' if record and alive else 'dead'}")
    lines.append(f"{'API server':24} https://127.0.0.1:{settings.apiserver_port}")
    lines.append(f"{'kubeconfig':24} {state.kubeconfig_file}")
    lines.append(f"{'Firestore emulator':24} {settings.firestore_emulator_host or 'not started'}")
    lines.append(f"{'dashboard':24} {settings.dashboard_url or 'not started: make dashboard'}")
    return healthy, lines


def _is_alive(state: StateDirectory, component: str) -> bool:
    return processes.is_alive(processes.load_record(state.record_file(component)))


async def _control_plane_is_healthy(state: StateDirectory, settings: ClusterSettings) -> bool:
    if not all(_is_alive(state, component) for component in controlplane.COMPONENTS):
        return False
    async with ApiClient(settings.apiserver_port, state.pki, "admin") as client:
        return await controlplane.is_ready(client)


def _remove_leftovers(state: StateDirectory, report: ReportProgress) -> None:
    if state.load_settings() is not None:
        report("removing what is left of an earlier cluster that was not stopped with `down`")
        down(state, report)
    for directory in (
        state.etcd_data_directory,
        state.node_directory,
        state.pki,
        state.processes_directory,
        state.root / "log",
    ):
        shutil.rmtree(directory, ignore_errors=True)


def _create_settings(state: StateDirectory) -> ClusterSettings:
    certificates.write_pki(state.pki)
    settings = ClusterSettings(
        apiserver_port=controlplane.find_free_port(),
        etcd_client_port=controlplane.find_free_port(),
        etcd_peer_port=controlplane.find_free_port(),
    )
    state.save_settings(settings)
    port = settings.apiserver_port
    controlplane.write_kubeconfig(state.kubeconfig_file, port, state.pki, "admin")
    internal = state.pki / "controller-manager.kubeconfig"
    controlplane.write_kubeconfig(internal, port, state.pki, "controller-manager")
    return settings


def _start_emulator(
    state: StateDirectory, settings: ClusterSettings, rules: Path | None, report: ReportProgress
) -> None:
    if settings.emulator_is_ours and _is_alive(state, emulator.COMPONENT):
        return
    elsewhere = emulator.external_emulator_host()
    if elsewhere and rules is not None:
        report(f"the emulator at FIRESTORE_EMULATOR_HOST keeps its own rules: load {rules} into it if it has none")
    settings.emulator_is_ours = elsewhere is None
    settings.firestore_emulator_host = elsewhere or emulator.start_emulator(state, rules)


async def _wait_for_node(state: StateDirectory, client: ApiClient, since: dt.datetime) -> None:
    deadline = time.monotonic() + NODE_SECONDS
    while not await objects.is_node_usable(client, since):
        for component in (*controlplane.COMPONENTS, AGENT):
            controlplane.require_alive(state, component)
        if time.monotonic() > deadline:
            log = processes.log_tail(state.log_file(AGENT))
            raise DevclusterError(f"The node was not ready within {NODE_SECONDS:.0f} s:\n{log}")
        await asyncio.sleep(0.05)
