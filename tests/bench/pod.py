"""The real `sluice-runtime run` as a process, with the files that a kubelet would mount."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench.jobserver import NAME, NAMESPACE, UID, JobServer
from sluice_contract import identity
from sluice_contract.alpaca import ALPACA_CREDENTIALS_DIR, ALPACA_KEY_ID, ALPACA_SECRET_KEY
from sluice_devcluster.node.execution import LAUNCHER, LaunchSpec, Mount

SYMBOLS = tuple(f"S{number:02d}" for number in range(30))
QUOTES_PER_SECOND = 1000
PROJECT = "demo-bench"
# A loopback address that no pod of another run uses, because the pod's HTTP port is fixed.
ADDRESS = f"127.79.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"

# Prints the time at which the program itself begins, without the time that its launcher takes.
_STAMPED = 'date +%s.%N; exec "$@"'


def spec(tenant: str, url: str) -> dict[str, Any]:
    """Return a job's spec with the default limits: 20 writes a second, bursts of 40, a symbol once a second."""
    alpaca = {"streamURL": url, "credentialsSecretRef": {"name": "alpaca"}}
    return {"tenant": tenant, "provider": "alpaca", "alpaca": alpaca, "symbols": list(SYMBOLS)}


class Process:
    """A running program whose start time is known, and its cost so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Follow a process whose output goes to `log`."""
        self._process = process
        self._log = log

    async def began_at(self) -> float:
        """Return the Unix seconds of its exec."""
        while not (line := self._log.read_text().partition("\n")[0]):  # noqa: ASYNC110  a file gives no event
            await asyncio.sleep(0.01)
        return float(line)

    def memory(self, field: str) -> float:
        """Return a memory figure in MiB; fields as in /proc: VmRSS is the current value, VmHWM the maximum."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
        raise ValueError(f"process {self._process.pid} has no {field}: it has ended")

    @property
    def cpu_seconds(self) -> float:
        """Return the user and system time of all its threads, including ended ones."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    @property
    def is_running(self) -> bool:
        """Return whether the process still runs."""
        return self._process.poll() is None

    async def end(self) -> int:
        """Send SIGTERM and return the exit code, after at most 15 s."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self._process.wait, 15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return await asyncio.to_thread(self._process.wait)


@asynccontextmanager
async def program(command: Sequence[str], environment: dict[str, str], log: Path) -> AsyncIterator[Process]:
    """Run a Python program in this environment."""
    process = Process(_started(["/bin/sh", "-c", _STAMPED, "sh", *command], _inherited() | environment, log), log)
    try:
        yield process
    finally:
        if process.is_running:
            await process.end()


@asynccontextmanager
async def pod(
    job: dict[str, Any],
    emulator: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    mounts: Sequence[Mount] = (),
) -> AsyncIterator[tuple[Process, JobServer]]:
    """Run the pod of a job and the API server that it reports to. `folder` is for mounted files and the log.

    `variables` and `mounts` are set in addition to those that every pod has.
    """
    for name in ("alpaca", "staging"):
        (folder / name).mkdir(parents=True)
    (folder / "alpaca" / ALPACA_KEY_ID).write_text("key")
    (folder / "alpaca" / ALPACA_SECRET_KEY).write_text("secret")
    async with JobServer(job).serving(folder / "account") as server:
        environment = {**_environment(job, server), **image_environment(), "FIRESTORE_EMULATOR_HOST": emulator}
        environment |= variables or {}
        command = ["/bin/sh", "-c", _STAMPED, "sh", str(Path(sys.executable).parent / "sluice-runtime"), "run"]
        orders = LaunchSpec(
            command=command,
            environment=_inherited() | environment,
            directory="/",
            mounts=[
                Mount(str(folder / "account"), ACCOUNT_DIR, read_only=True),
                Mount(str(folder / "alpaca"), ALPACA_CREDENTIALS_DIR, read_only=True),
                *mounts,
            ],
            staging=str(folder / "staging"),
        )
        process = Process(_launched(orders, folder / "pod.log"), folder / "pod.log")
        try:
            yield process, server
        finally:
            if process.is_running:
                await process.end()


def _environment(job: dict[str, Any], server: JobServer) -> dict[str, str]:
    injected = {"namespace": NAMESPACE, "name": NAME, "uid": UID, "generation": 1, "epoch": 1, "projectID": PROJECT}
    return {
        identity.JOB_ENV: msgspec.json.encode({**injected, "spec": job}).decode(),
        identity.POD_UID_ENV: "b0d",
        identity.POD_IP_ENV: ADDRESS,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
    }


def image_environment() -> dict[str, str]:
    """Return the settings of Python in the runtime image, which a pod has and this machine does not."""
    lines = (Path(__file__).parents[2] / "runtime/Dockerfile").read_text().rpartition("\nFROM ")[2].splitlines()
    variables = [each for line in lines if line.startswith("ENV ") for each in line.split()[1:]]
    # PATH is the image's own, and without bytecode each start would compile.
    return dict(each.split("=", 1) for each in variables if not each.startswith(("PATH=", "PYTHONDONTWRITEBYTECODE=")))


def _inherited() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": "/nonexistent"}


def _started(arguments: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, env=environment)


def _launched(orders: LaunchSpec, log: Path) -> subprocess.Popen[bytes]:
    memory, failure = os.memfd_create("orders"), os.memfd_create("failure")
    os.write(memory, json.dumps(asdict(orders)).encode())
    os.lseek(memory, 0, os.SEEK_SET)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(memory), str(failure)],
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(memory, failure),
            start_new_session=True,
        )
    os.close(memory)
    os.close(failure)
    return process
