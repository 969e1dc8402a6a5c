"""The memory and the CPU time of the API server of a devcluster."""

from __future__ import annotations

import os
from pathlib import Path

from sluice_devcluster.layout import StateDirectory

KIB = 1 << 10


class ApiServerProcess:
    """The process of the API server."""

    def __init__(self, state: StateDirectory) -> None:
        """Find the process of the cluster in the folder `state`.

        Raises:
            RuntimeError: it does not run.
        """
        self._folder = _process_folder(state)

    @property
    def memory_bytes(self) -> int:
        """The resident memory. It includes garbage."""
        lines = (self._folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) * KIB for line in lines if line.startswith("VmRSS:"))

    @property
    def cpu_seconds(self) -> float:
        """The user and system time of all its threads."""
        user, system = (self._folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _process_folder(state: StateDirectory) -> Path:
    """Return the folder of the process in /proc."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program, *arguments = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if program.endswith("kube-apiserver") and any(str(state.root) in each for each in arguments):
            return folder
    raise RuntimeError("the API server does not run")
