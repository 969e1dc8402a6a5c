"""When a process started, which tells it from a later process with the same id: on Linux from /proc, else from ps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

FindStart = Callable[[int], int | None]


def start_ticks(pid: int) -> int | None:
    """Return the start time of a live process; None if it has ended or is a zombie.

    On Linux these are clock ticks since boot, on other systems seconds since 1970.
    """
    return start_ticks_from_proc(pid) if sys.platform == "linux" else start_second_from_ps(pid)


def boot_id() -> str:
    """Return the kernel's id of the current boot; an empty text where the start time does not depend on the boot."""
    if sys.platform != "linux":
        return ""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_ticks_from_proc(pid: int) -> int | None:
    """Return the start time of a live process in clock ticks since boot, as Linux has it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name can contain spaces and parentheses; the other fields follow the last ')'.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def start_second_from_ps(pid: int) -> int | None:
    """Return the start time of a live process in seconds since 1970, as `ps` has it on macOS and Linux."""
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)],
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = answer.stdout.strip().partition(" ")
    if not state or state[0] in "ZX":
        return None
    moment = datetime.strptime(f"{' '.join(started.split())} +0000", "%a %b %d %H:%M:%S %Y %z")
    return int(moment.timestamp())
