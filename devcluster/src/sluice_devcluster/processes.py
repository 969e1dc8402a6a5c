"""Detached processes, identified by process id and start time, so that no other process is ever signalled."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.process_identity import boot_id, start_ticks

LOG_TAIL_LINES = 15
# Where the kernel cannot be asked to wait for a process that is not a child.
_CHECK_SECONDS = 0.05


class ProcessRecord(msgspec.Struct, frozen=True):
    """The permanent identity of a process: the system reuses process ids, but not with the same start time and boot.

    `start_ticks` is the start time: see `process_identity`.
    """

    pid: int
    start_ticks: int
    boot: str


def record_of_process(pid: int) -> ProcessRecord | None:
    """Return the record of a live process; None if the process has already ended."""
    ticks = start_ticks(pid)
    return None if ticks is None else ProcessRecord(pid=pid, start_ticks=ticks, boot=boot_id())


def save_record(path: Path, record: ProcessRecord) -> None:
    """Write a record atomically: a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(msgspec.json.encode(record))
    partial.replace(path)


def load_record(path: Path) -> ProcessRecord | None:
    """Return the record in a file; None if the file is missing or invalid."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProcessRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_alive(record: ProcessRecord | None) -> bool:
    """Return True if the recorded process still runs; another process with the same id does not count."""
    return record is not None and record.boot == boot_id() and start_ticks(record.pid) == record.start_ticks


def start_process(argv: Sequence[str], log: Path, record: Path, environment: Mapping[str, str] | None = None) -> None:
    """Start a process in its own session, append its output to `log`, and record it.

    Raises DevclusterError if the program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise DevclusterError(f"Cannot start {argv[0]}: {error.strerror}.") from error
    found = record_of_process(process.pid)
    if found is not None:
        save_record(record, found)
    # The process outlives this command on purpose; setting the code prevents the interpreter's warning.
    process.returncode = 0


def wait_for_exit(record: ProcessRecord, seconds: float) -> bool:
    """Wait until a recorded process has ended, at most `seconds`; return whether it has."""
    if not is_alive(record):
        return True
    if sys.platform != "linux":
        deadline = time.monotonic() + seconds
        while is_alive(record) and time.monotonic() < deadline:
            time.sleep(_CHECK_SECONDS)
        return not is_alive(record)
    try:
        descriptor = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)
    finally:
        os.close(descriptor)
    return not is_alive(record)


def send_signal(record: ProcessRecord, number: signal.Signals, *, group: bool = False) -> None:
    """Send a signal to a recorded process, or to its process group; do nothing if it has ended."""
    if not is_alive(record):
        return
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(record.pid, number)


def stop_processes(paths: Sequence[Path], grace_seconds: float) -> None:
    """End the recorded processes together and delete their records: SIGTERM, then SIGKILL after the grace period."""
    records = [record for record in map(load_record, paths) if record is not None and is_alive(record)]
    for record in records:
        send_signal(record, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    for record in records:
        if not wait_for_exit(record, deadline - time.monotonic()):
            send_signal(record, signal.SIGKILL, group=True)
            wait_for_exit(record, 5.0)
    for path in paths:
        path.unlink(missing_ok=True)


def kill_recorded_process_groups(directory: Path) -> int:
    """Kill all process groups whose leaders are recorded in a directory; return how many were alive."""
    killed = 0
    for path in sorted(directory.glob("*.json")):
        record = load_record(path)
        if record is not None and is_alive(record):
            send_signal(record, signal.SIGKILL, group=True)
            wait_for_exit(record, 5.0)
            killed += 1
        path.unlink(missing_ok=True)
    return killed


def log_tail(log: Path) -> str:
    """Return the last lines of a log, indented, and the path of the whole log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except FileNotFoundError:
        lines = []
    return "\n".join([*(f"  {line}" for line in lines), f"Full log: {log}"])
