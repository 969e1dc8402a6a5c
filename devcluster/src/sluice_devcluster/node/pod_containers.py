"""The containers of one pod, in the order in which they start and end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from sluice_devcluster.node.containers import Container
from sluice_devcluster.node.restarts import is_sidecar
from sluice_devcluster.node.statuses import TerminatedState

# The grace period that the kubelet leaves a sidecar if the other containers have used up that of the pod.
LEAST_GRACE_SECONDS = 2.0


class PodContainers:
    """Runs the containers of one pod: init containers one after another, then all others.

    An init container with restartPolicy Always is a sidecar: the next container starts once it has started, and it ends
    after all other containers, in reverse order.
    """

    def __init__(self, init: Sequence[Container], main: Sequence[Container]) -> None:
        """Nothing starts before `run`."""
        self.init = init
        self.main = main
        self._sidecars: list[tuple[Container, asyncio.Task[None]]] = []
        self._sidecars_are_ending = False
        self._stopping = asyncio.Event()
        self._deadline = math.inf  # of the stop, in seconds of the event loop's clock

    def find(self, name: str) -> Container | None:
        """Return the container or init container with this name; None if there is none."""
        return next((each for each in (*self.init, *self.main) if each.spec["name"] == name), None)

    def has_process(self) -> bool:
        """Return True if a process of a container has started."""
        return any(each.process for each in (*self.init, *self.main))

    async def run(self, policy: str, grace_seconds: float) -> None:
        """Run the containers until only sidecars run and no other container is restarted; then end the sidecars."""
        try:
            if await self._run_init_containers("OnFailure" if policy == "Always" else policy):
                await asyncio.gather(*(container.run(policy) for container in self.main))
        finally:
            await self._end_sidecars(grace_seconds)

    def stop(self, grace_seconds: float) -> None:
        """End the containers and restart none: SIGTERM, and SIGKILL after the grace period. Sidecars end last."""
        self._stopping.set()
        self._deadline = min(self._deadline, asyncio.get_running_loop().time() + grace_seconds)
        for container in (*self.init, *self.main):
            if self._sidecars_are_ending or not is_sidecar(container.spec):
                container.stop(grace_seconds)

    async def _run_init_containers(self, policy: str) -> bool:
        """Run the init containers in order. Return False if one has failed for good or the pod is stopped."""
        for container in self.init:
            if self._stopping.is_set():
                return False
            if is_sidecar(container.spec):
                await self._start_sidecar(container)
                continue
            await container.run(policy)
            state = container.snapshot.state
            if not isinstance(state, TerminatedState) or state.exit_code:
                return False
        return not self._stopping.is_set()

    async def _start_sidecar(self, container: Container) -> None:
        """Start a sidecar, and wait until it has started or the pod is stopped."""
        running = asyncio.create_task(container.run("Always"))
        self._sidecars.append((container, running))
        waits = [asyncio.create_task(event.wait()) for event in (container.started, self._stopping)]
        try:
            await asyncio.wait([running, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _end_sidecars(self, grace_seconds: float) -> None:
        self._sidecars_are_ending = True
        loop = asyncio.get_running_loop()
        for container, running in reversed(self._sidecars):
            left = min(self._deadline - loop.time(), grace_seconds)
            container.stop(max(left, LEAST_GRACE_SECONDS))
            if container.process is None:
                running.cancel()  # it may wait for an object in the API server
            await asyncio.wait([running])
