"""The HTTP interfaces of a pod and of the operator while a client opens requests that it never completes."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path

from bench.rows import Row
from sluice_contract import identity
from sluice_devcluster.quickstart import SYSTEM_NAMESPACE, Quickstart
from support.cluster import sluice_on_devcluster
from support.processes import pod_process
from support.site import Tenant

CONNECTIONS = 400
SECONDS = 120.0
WARM_UP_SECONDS = 10.0
PROBE_EVERY_SECONDS = 0.25
MOST_MEMORY = 20.0  # MiB more than before
MOST_OPEN_SECONDS = 10.0
MOST_PROBE_SECONDS = 1.0
_TENANT = "bench-http"
_PATIENCE_SECONDS = 120.0
_REFUSED_SECONDS = 0.05  # until a refused connection is tried again
_INCOMPLETE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + b"x" * 1000 + b"\r\n"


@dataclass(frozen=True)
class Target:
    """A process with an HTTP interface."""

    name: str
    process_id: int
    host: str
    port: int

    @property
    def memory(self) -> float:
        """The resident memory of the process, in MiB."""
        for line in Path(f"/proc/{self.process_id}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ValueError(f"process {self.process_id} has ended")


@dataclass(frozen=True)
class Load:
    """How many connections the load opened, and how long one of them was open at most."""

    opened: int
    longest_open_seconds: float


@dataclass
class Probes:
    """The durations of the probes, how many failed, and the most memory of the process meanwhile."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    most_memory: float = 0.0


def rows(folder: Path) -> list[Row]:
    """Measure a pod and the operator, one after the other."""
    with sluice_on_devcluster(folder / "devcluster") as site:
        tenant = Tenant(site.kubectl, site.emulator, _TENANT)
        tenant.apply()
        tenant.settled("Streaming", seconds=_PATIENCE_SECONDS)
        targets = [_pod(tenant), _operator(site)]
        return [row for target in targets for row in _measured(target)]


def _pod(tenant: Tenant) -> Target:
    [pod] = tenant.pods()
    name = pod["metadata"]["name"]
    process = pod_process("sluice-runtime", f"POD_NAME={name}")
    return Target("pod", process, pod["status"]["podIP"], identity.HTTP_PORT)


def _operator(site: Quickstart) -> Target:
    found = site.kubectl.get("pods", "-n", SYSTEM_NAMESPACE, "-l", "app.kubernetes.io/name=sluice-operator")["items"]
    name, address = found[0]["metadata"]["name"], found[0]["status"]["podIP"]
    return Target("operator", pod_process("sluice-operator", f"POD_NAME={name}"), address, 8080)


def _measured(target: Target) -> list[Row]:
    _probe_for(WARM_UP_SECONDS, target)  # the first requests import what they need
    before = target.memory
    # The load has a process of its own, because the kubelet sends its request as soon as it is connected.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        running = pool.submit(put_load, target.host, target.port, SECONDS)
        probes = _probe_for(SECONDS, target)
        load = running.result()
    name = f"{target.name} under {CONNECTIONS} incomplete requests for {SECONDS:.0f} s"
    return [
        _row(f"{name}: more memory", "MiB", probes.most_memory - before, MOST_MEMORY),
        _row(f"{name}: longest open", "s", load.longest_open_seconds, MOST_OPEN_SECONDS),
        _row(f"{name}: longest answer of /livez", "s", max(probes.seconds), MOST_PROBE_SECONDS),
        _row(f"{name}: failed answers of /livez", "", probes.failed, 0),
        Row(name=f"{name}: opened", unit="1/s", ours=load.opened / SECONDS),
        Row(name=f"{name}: answers of /livez", unit="", ours=len(probes.seconds)),
    ]


def put_load(host: str, port: int, seconds: float) -> Load:
    """Keep CONNECTIONS incomplete requests open. When the server closes one, open the next one."""
    return asyncio.run(_put_load(host, port, seconds))


async def _put_load(host: str, port: int, seconds: float) -> Load:
    end = time.monotonic() + seconds
    found = await asyncio.gather(*(_renew_until(host, port, end) for _ in range(CONNECTIONS)))
    return Load(sum(each.opened for each in found), max(each.longest_open_seconds for each in found))


async def _renew_until(host: str, port: int, end: float) -> Load:
    opened, longest = 0, 0.0
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(_REFUSED_SECONDS)
            continue
        opened_at = time.monotonic()
        opened += 1
        writer.write(_INCOMPLETE)
        with suppress(OSError):
            await reader.read()
        longest = max(longest, time.monotonic() - opened_at)
        writer.close()
    return Load(opened, longest)


def _probe_for(seconds: float, target: Target) -> Probes:
    """Request /livez on new connections, as the kubelet does, and record the memory of the process."""
    found, end = Probes(), time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        connection = HTTPConnection(target.host, target.port, timeout=MOST_OPEN_SECONDS)
        try:
            connection.request("GET", "/livez")
            found.failed += connection.getresponse().status != HTTPStatus.OK
        except (OSError, HTTPException):
            found.failed += 1
        finally:
            connection.close()
        found.seconds.append(time.monotonic() - began)
        found.most_memory = max(found.most_memory, target.memory)
        time.sleep(PROBE_EVERY_SECONDS)
    return found


def _row(name: str, unit: str, figure: float, most: float) -> Row:
    return Row(name=name, unit=unit, ours=figure, target=f"<= {most:g} {unit}".strip(), met=figure <= most)
