"""The processes that devcluster runs as pods."""

from __future__ import annotations

from pathlib import Path


def pod_process(program: str, variable: str) -> int:
    """Return the process ID of a pod, found by its program and by an environment variable (`NAME=value`)."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if variable.encode() in environment and program.encode() in command:
            return int(folder.name)
    raise AssertionError(f"no process of {program} with {variable}")
