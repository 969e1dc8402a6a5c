"""One run of one container: a local process, its output and its end."""

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
    """What a container sees at `target`: a directory or file of the node."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class LaunchSpec:
    """Everything the launcher needs; `staging` is an empty directory of the node that it may cover."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    mounts: list[Mount]
    staging: str


class ContainerProcess:
    """A container's process, started on construction; `ended` becomes its exit code at once when it ends."""

    def __init__(self, orders: LaunchSpec, log: ContainerLog, records: Path) -> None:
        """Starts the process in a session and a mount namespace of its own; raises OSError."""
        self._loop = asyncio.get_running_loop()
        self._log = log
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._open_streams = 0
        self._silent = asyncio.Event()
        # Why the command could not be started; empty when it was, and until `drain`.
        self.failure = ""
        self._failure = os.memfd_create("failure")
        self._process = self._spawn(orders)
        self._record = records / f"{self._process.pid}.json"
        found = record_of_process(self._process.pid)
        if found is not None:
            save_record(self._record, found)
        self._descriptor = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._descriptor, self._on_exit)
        self._kill_timer: asyncio.TimerHandle | None = None

    def _spawn(self, orders: LaunchSpec) -> subprocess.Popen[bytes]:
        # Orders hold secrets: they go through memory, never through a file.
        memory = os.memfd_create("orders")
        os.write(memory, json.dumps(asdict(orders)).encode())
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
        """The process identifier."""
        return self._process.pid

    @property
    def is_stopping(self) -> bool:
        """Whether the process was asked to end, or has ended."""
        return self._kill_timer is not None or self.ended.done()

    def stop(self, grace_seconds: float) -> None:
        """Asks the process to end, and makes it end after the grace; a later call can only shorten the grace."""
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
        """Waits for the last output, then closes everything that belongs to this run."""
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
        # A container's other processes end with its first one; until that is reaped its number is still taken.
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
