"""The lifecycle of a container: start, probes, end and restart."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sluice_devcluster.api import Json
from sluice_devcluster.node import logs, probes
from sluice_devcluster.node.environment import expand_variables
from sluice_devcluster.node.execution import ContainerProcess, LaunchSpec, Mount
from sluice_devcluster.node.references import UnresolvedError
from sluice_devcluster.node.restarts import RestartBackoff, is_restarted
from sluice_devcluster.node.signals import ChangeCounter
from sluice_devcluster.node.statuses import ContainerSnapshot, RunningState, TerminatedState, WaitingState

CONFIGURATION_RETRY_SECONDS = 2.0
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@dataclass(frozen=True)
class ContainerContext:
    """The paths, settings and callbacks that a container gets from its pod and its node.

    `environment` resolves the container's variables at each call. The container calls `changed` after each change of
    its snapshot, and `event` to record an event (reason, message, is it a warning).
    """

    directory: Path
    records: Path
    address: str
    grace_seconds: float
    environment: Callable[[Json], Awaitable[dict[str, str]]]
    mounts: Callable[[Json], list[Mount]]
    changed: Callable[[], None]
    event: Callable[[str, str, bool], None]
    sources_changed: ChangeCounter
    title: str


def unsupported_container_reason(container: Json) -> str | None:
    """Return a sentence that says why this node cannot run a container; None if it can."""
    if not container.get("command"):
        return "the image is ignored by this node, so the container needs an explicit command"
    if container.get("restartPolicy") not in (None, "Always") or container.get("restartPolicyRules"):
        return "a container's own restart rules are not supported by this node"
    if container.get("lifecycle"):
        return "lifecycle hooks are not supported by this node"
    for mount in container.get("volumeMounts") or []:
        if mount.get("subPath") or mount.get("subPathExpr"):
            return f"volumeMount {mount['name']}: subPath is not supported by this node"
    return probes.unsupported_probe_reason(container)


class Container:
    """One container of one pod; `snapshot` is its current state."""

    def __init__(
        self, spec: Json, context: ContainerContext, snapshot: ContainerSnapshot, backoff: RestartBackoff
    ) -> None:
        """Continue from an earlier snapshot, in case the node agent has restarted."""
        self.spec = spec
        self.snapshot = snapshot
        self.log: logs.ContainerLog | None = None
        self.process: ContainerProcess | None = None
        self._context = context
        self._backoff = backoff
        self._stopping = asyncio.Event()
        self.started = asyncio.Event()  # set once the container has started for the first time
        # The number of the next run, which is one more if an earlier run has ended.
        self._run = snapshot.restarts + isinstance(snapshot.state, TerminatedState)

    def log_path(self, *, previous: bool) -> Path | None:
        """Return the log of the current or of the previous run; None if there is none."""
        run = self._run - 1 if self.process is not None else self._run
        # As in the kubelet, the previous run of a container that waits for a restart is the run that ended last.
        waiting = isinstance(self.snapshot.state, WaitingState)
        path = self._log_path_of_run(run - 1 if previous and not waiting else run)
        return path if path.exists() else None

    async def run(self, policy: str) -> None:
        """Run the container until `stop` is called, or until its restart policy does not restart it."""
        if isinstance(self.snapshot.state, TerminatedState):
            if not is_restarted(policy, self.snapshot.state.exit_code):
                return
            await self._wait_for_backoff(self.snapshot.state)
        while not self._stopping.is_set():
            launch_spec = await self._wait_for_launch_spec()
            if launch_spec is None or self._stopping.is_set():
                return
            ended = await self._run_once(launch_spec)
            if self._stopping.is_set() or not is_restarted(policy, ended.exit_code):
                return
            await self._wait_for_backoff(ended)

    def stop(self, grace_seconds: float) -> None:
        """End the container and do not restart it: send SIGTERM, and SIGKILL after the grace period."""
        self._stopping.set()
        if self.process is not None and not self.process.ended.done():
            self.process.stop(grace_seconds)

    async def _wait_for_launch_spec(self) -> LaunchSpec | None:
        """Return what to start, once the environment resolves; None if the container cannot or must not start."""
        reason = unsupported_container_reason(self.spec)
        if reason is not None:
            self._set_waiting("CreateContainerError", reason)
            await self._stopping.wait()
            return None
        while not self._stopping.is_set():
            seen = self._context.sources_changed.count
            try:
                environment = await self._context.environment(self.spec)
            except UnresolvedError as error:
                self._set_waiting("CreateContainerConfigError", str(error))
            else:
                return self._launch_spec(environment)
            await self._context.sources_changed.wait_for_change(seen, CONFIGURATION_RETRY_SECONDS)
        return None

    def _launch_spec(self, environment: dict[str, str]) -> LaunchSpec:
        spec, directory = self.spec, self._context.directory
        message = directory / f"termination-{self._run}"
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_bytes(b"")
        staging = directory / "root"
        staging.mkdir(exist_ok=True)
        path = spec.get("terminationMessagePath") or "/dev/termination-log"
        command = [*spec["command"], *(spec.get("args") or [])]
        return LaunchSpec(
            command=[expand_variables(part, environment) for part in command],
            environment=environment,
            directory=spec.get("workingDir") or "/",
            mounts=[*self._context.mounts(spec), Mount(str(message), path, read_only=False)],
            staging=str(staging),
        )

    async def _run_once(self, launch_spec: LaunchSpec) -> TerminatedState:
        run, started = self._run, dt.datetime.now(dt.UTC)
        self.log = logs.ContainerLog(self._log_path_of_run(run))
        self.process = ContainerProcess(launch_spec, self.log, self._context.records)
        self._run += 1
        self._delete_files_of_run(run - 2)
        probing = "startupProbe" in self.spec
        self._update_snapshot(
            state=RunningState(started),
            container_id=f"process://{self.process.pid}-{run}",
            restarts=run,
            started=not probing,
            ready=not probing and "readinessProbe" not in self.spec,
        )
        self._context.event("Started", f"Started container {self.snapshot.name}", False)
        watchers = asyncio.create_task(self._run_probes())
        try:
            code = await self.process.ended
        finally:
            watchers.cancel()
        await self.process.wait_for_output()
        ended = self._terminated_state(code, started, run)
        self._update_snapshot(state=ended, ready=False, started=False)
        return ended

    def _terminated_state(self, code: int, started: dt.datetime, run: int) -> TerminatedState:
        assert self.process is not None  # noqa: S101
        failure = self.process.failure
        reason = "StartError" if failure else "Completed" if code == 0 else "Error"
        message = failure or self._termination_message(code, run)
        finished = dt.datetime.now(dt.UTC)
        return TerminatedState(code, reason, started, finished, self.snapshot.container_id, message)

    def _termination_message(self, code: int, run: int) -> str:
        written = (self._context.directory / f"termination-{run}").read_bytes()[:4096]
        if written:
            return written.decode(errors="replace")
        if code != 0 and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            return logs.last_lines(self._log_path_of_run(run))
        return ""

    async def _wait_for_backoff(self, ended: TerminatedState) -> None:
        """Wait for the restart back-off before the next run; `stop` ends the wait."""
        ran_for = (ended.finished_at - ended.started_at).total_seconds()
        delay, self._backoff = self._backoff.after_run(ran_for)
        self.snapshot = replace(self.snapshot, last=ended)
        if delay <= 0:
            return
        title = f"container={self.snapshot.name} pod={self._context.title}"
        message = f"back-off {delay:g}s restarting failed {title}"
        self._set_waiting("CrashLoopBackOff", message)
        self._context.event("BackOff", f"Back-off restarting failed {title}", True)
        try:
            await asyncio.wait_for(self._stopping.wait(), delay)
        except TimeoutError:
            return
        # The container does not start again, so its final state is how its last run ended.
        self._update_snapshot(state=ended)

    async def _run_probes(self) -> None:
        if "startupProbe" in self.spec:
            await self._run_startup_probe(self.spec["startupProbe"])
            self._update_snapshot(started=True, ready="readinessProbe" not in self.spec)
        others = [self._run_probe(kind) for kind in PROBES[1:] if kind in self.spec]
        await asyncio.gather(*others)

    async def _run_startup_probe(self, probe: Json) -> None:
        probe_state = probes.ProbeState(healthy=False)
        passed = asyncio.Event()

        def report(succeeded: bool, message: str) -> None:
            nonlocal probe_state
            probe_state = probe_state.after_attempt(succeeded, probe)
            if probe_state.healthy:
                passed.set()
            elif not succeeded:
                self._record_unhealthy_event("Startup", message)
                if probe_state.has_reached_failure_threshold(probe):
                    self._end_for_restart("startup", probe)

        watching = asyncio.create_task(probes.repeat_probe(probe, lambda: self._attempt_probe(probe), report))
        try:
            await passed.wait()
        finally:
            watching.cancel()

    async def _run_probe(self, kind: str) -> None:
        probe, is_readiness = self.spec[kind], kind == "readinessProbe"
        probe_state = probes.ProbeState(healthy=not is_readiness)

        def report(succeeded: bool, message: str) -> None:
            nonlocal probe_state
            probe_state = probe_state.after_attempt(succeeded, probe)
            if not succeeded:
                self._record_unhealthy_event("Readiness" if is_readiness else "Liveness", message)
            if is_readiness:
                self._update_snapshot(ready=probe_state.healthy)
            elif probe_state.has_reached_failure_threshold(probe):
                self._end_for_restart("liveness", probe)

        await probes.repeat_probe(probe, lambda: self._attempt_probe(probe), report)

    async def _attempt_probe(self, probe: Json) -> str | None:
        return await probes.attempt_probe(probe, self.spec, self._context.address)

    def _record_unhealthy_event(self, kind: str, message: str) -> None:
        self._context.event("Unhealthy", f"{kind} probe failed: {message}", True)

    def _end_for_restart(self, kind: str, probe: Json) -> None:
        if self.process is None or self.process.is_stopping:
            return
        name = self.snapshot.name
        self._context.event("Killing", f"Container {name} failed {kind} probe, will be restarted", False)
        grace = probe.get("terminationGracePeriodSeconds")
        self.process.stop(self._context.grace_seconds if grace is None else float(grace))

    def _set_waiting(self, reason: str, message: str) -> None:
        self._update_snapshot(state=WaitingState(reason, message), ready=False, started=False)

    def _update_snapshot(self, **changes: object) -> None:
        changed = replace(self.snapshot, **changes)  # type: ignore[arg-type]
        if changed != self.snapshot:
            self.snapshot = changed
            if changed.started:
                self.started.set()
            self._context.changed()

    def _log_path_of_run(self, run: int) -> Path:
        return self._context.directory / f"{run}.log"

    def _delete_files_of_run(self, run: int) -> None:
        self._log_path_of_run(run).unlink(missing_ok=True)
        (self._context.directory / f"termination-{run}").unlink(missing_ok=True)
