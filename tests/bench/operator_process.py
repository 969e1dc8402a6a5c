"""The operator as a process of its own beside a real API server, for benchmarks of the operator alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench import pod
from support.cluster import BIN
from support.eventually import eventually

_PORT = 18734
_PATIENCE_SECONDS = 900.0


@asynccontextmanager
async def running_operator(
    kubeconfig: Path, log: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[pod.Process]:
    """Run the operator, and wait until it answers. `settings` are more variables.

    It uses the cluster administrator's account, which no policy limits, so it must not require policies.
    """
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "POD_IP": "127.0.0.1",
        "POD_NAMESPACE": "default",
        "SLUICE_HTTP_PORT": str(_PORT),
        "SLUICE_REQUIRE_POLICIES": "false",
        **(settings or {}),
    }
    async with pod.program([str(BIN / "sluice-operator")], environment, log) as process:
        await eventually(_answers, _PATIENCE_SECONDS)
        yield process


async def _answers() -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{_PORT}/livez") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False
