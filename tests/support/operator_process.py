"""The operator as a process of its own beside an API server, with settings of the test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.deadlines import wait_for

# The time for which a new operator begins no rollout is a constant. A test may not have so much time.
_PROGRAM = """
import sys
from sluice_operator.domain import rollout
rollout.HOLD_SECONDS = float(sys.argv[1])
from sluice_operator.__main__ import main
sys.exit(main([]))
"""
_FIRST_PORT = 18750
SHIPPED_HOLD_SECONDS = 15.0
# A fifth of the shipped lease timings, so that another replica soon leads.
_LEASE = {"SLUICE_LEASE_SECONDS": "3", "SLUICE_LEASE_RENEW_SECONDS": "2", "SLUICE_LEASE_RETRY_SECONDS": "0.4"}


@asynccontextmanager
async def operator_process(
    kubeconfig: Path, log: Path, image: str, number: int = 1, hold_seconds: float = SHIPPED_HOLD_SECONDS
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a replica, which creates pods of `image`; at the end, it has exited. `number` distinguishes replicas.

    It uses the account of the cluster's administrator, whom no policy limits, so it must not require policies.
    """
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "HOME": "/nonexistent",
        "KUBECONFIG": str(kubeconfig),
        "POD_IP": "127.0.0.1",
        "POD_NAMESPACE": "default",
        "POD_NAME": replica_name(number),
        "SLUICE_HTTP_PORT": str(_FIRST_PORT + 20 * (os.getpid() % 500) + number),
        "SLUICE_REQUIRE_POLICIES": "false",
        "SLUICE_RUNTIME_IMAGE": image,
        **_LEASE,
    }
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM, str(hold_seconds)), stdout=output, stderr=output, env=environment
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await wait_for(process.wait(), 15)


def replica_name(number: int) -> str:
    """Return the name of the pod that a replica considers its own."""
    return f"operator-{number}"
