"""The operator as the only container of a pod: a process that is restarted whenever it has ended."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sluice_devcluster.controlplane import find_free_port
from sluice_runtime.aio.waiting import cancel_and_wait
from support.deadlines import wait_for

RESTART_SECONDS: Final = 1.0  # after an exit of its own
# The operator, without the time for which a new one begins no rollout.
_PROGRAM: Final = """
import sys
from sluice_operator.domain import rollout
rollout.HOLD_SECONDS = 0.2
exec(sys.argv[1])
from sluice_operator.__main__ import main
sys.exit(main([]))
"""


class SupervisedOperator:
    """An operator of one namespace, in which it also has its Lease. It requires no policies."""

    def __init__(self, kubeconfig: Path, log: Path, namespace: str, number: int = 1, **variables: str) -> None:
        """`number` distinguishes the replicas of a namespace. `variables` are added to the environment."""
        self.exits: list[int] = []  # the codes with which it has ended by itself
        self.name = f"operator-{number}"
        self.defect = ""  # lines that change the operator before it starts (see operator_defects.py)
        self._log = log
        self._was_killed = False
        self._process: asyncio.subprocess.Process | None = None
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": "/nonexistent",
            "KUBECONFIG": str(kubeconfig),
            "POD_IP": "127.0.0.1",
            "POD_NAME": self.name,
            "POD_NAMESPACE": namespace,
            "POD_UID": str(uuid.uuid4()),
            "SLUICE_HTTP_PORT": str(find_free_port()),
            "SLUICE_REQUIRE_POLICIES": "false",
            "SLUICE_RUNTIME_IMAGE": "sluice-runtime:test",
            "SLUICE_WATCH_NAMESPACES": namespace,
            **variables,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the operator, and restart it whenever it ends, while the context lasts."""
        task = asyncio.create_task(self._run_forever())
        try:
            yield
        finally:
            await cancel_and_wait(task)
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
                await wait_for(self._process.wait(), 15)

    def kill(self) -> None:
        """Kill the process at once, if it runs. It is restarted at once."""
        if self._process is not None and self._process.returncode is None:
            self._was_killed = True
            self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def _run_forever(self) -> None:
        while True:
            with self._log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", _PROGRAM, self.defect), stdout=output, stderr=output, env=self._environment
                )
            code = await self._process.wait()
            if not self._was_killed:
                self.exits.append(code)
                await asyncio.sleep(RESTART_SECONDS)
            self._was_killed = False
