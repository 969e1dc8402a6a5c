"""One run of one container: its process, its output and its exit."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sluice_devcluster.node.logs import ContainerLog
from sluice_devcluster.processes import record_of_process, save_record

LAUNCHER = Path(__file__).with_name("mounts.py")
CHUNK = 65536


@dataclass(frozen=True)
class Mount:
    """A directory or file of the node, which the container sees at `target`."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class LaunchSpec:
    """The input of the launcher; `staging` is an empty directory of the node over which the launcher can mount."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    mounts: list[Mount]
    staging: str


class ContainerProcess:
    """The process of a container, started on construction; `ended` gets the exit code as soon as it exits."""

    def __init__(self, launch_spec: LaunchSpec, log: ContainerLog, records: Path) -> None:
        """Start the process in its own session and mount namespace; raise OSError if it cannot start."""
        self._loop = asyncio.get_running_loop()
        self._log = log
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._open_streams = 0
        self._silent = asyncio.Event()
        # Why the command could not be started; empty if it started, and before `wait_for_output` returns.
        self.failure = ""
        self._failure = os.memfd_create("failure")
        self._process = self._spawn(launch_spec)
        self._record = records / f"{self._process.pid}.json"
        found = record_of_process(self._process.pid)
        if found is not None:
            save_record(self._record, found)
        self._descriptor = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._descriptor, self._on_exit)
        self._kill_timer: asyncio.TimerHandle | None = None

    def _spawn(self, launch_spec: LaunchSpec) -> subprocess.Popen[bytes]:
        # The specification holds secrets, so it is passed in memory and not in a file.
        memory = os.memfd_create("launch-spec")
        os.write(memory, json.dumps(asdict(launch_spec)).encode())
        os.lseek(memory, 0, os.SEEK_SET)
        output, errors = os.pipe(), os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(memory), str(self._failure)],
                stdin=subprocess.DEVNULL,
                stdout=output[1],
                stderr=errors[1],
                pass_fds=(memory, self._failure),
                env={},
                cwd="/",
                start_new_session=True,
            )
        finally:
            for descriptor in (memory, output[1], errors[1]):
                os.close(descriptor)
        self._read_stream(output[0], "stdout")
        self._read_stream(errors[0], "stderr")
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_stopping(self) -> bool:
        """True if the process has been asked to end, or has ended."""
        return self._kill_timer is not None or self.ended.done()

    def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM, and SIGKILL after the grace period; a later call can only shorten the grace period."""
        if self.ended.done():
            return
        due = self._loop.time() + grace_seconds
        if self._kill_timer is None:
            self._send_signal(signal.SIGTERM)
        elif self._kill_timer.when() <= due:
            return
        else:
            self._kill_timer.cancel()
        self._kill_timer = self._loop.call_at(due, self._kill)

    async def wait_for_output(self, seconds: float = 0.5) -> None:
        """Wait for the last output, then close the log and the descriptors of this run."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), seconds)
        self._log.close()
        self.failure = os.pread(self._failure, 4096, 0).decode(errors="replace")
        os.close(self._failure)

    def _kill(self) -> None:
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _send_signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        # End the container's other processes with its first; the group's id is valid until the first is reaped.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        self._record.unlink(missing_ok=True)
        self.ended.set_result(code if code >= 0 else 128 - code)

    def _read_stream(self, descriptor: int, stream: str) -> None:
        os.set_blocking(descriptor, False)
        self._open_streams += 1
        self._loop.add_reader(descriptor, self._stream_reader(descriptor, stream))

    def _stream_reader(self, descriptor: int, stream: str) -> Callable[[], None]:
        def pump() -> None:
            try:
                data = os.read(descriptor, CHUNK)
            except BlockingIOError:
                return
            if data and not self._log.closed:
                self._log.write(stream, data)
                return
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            self._open_streams -= 1
            if self._open_streams == 0:
                self._silent.set()

        return pump
