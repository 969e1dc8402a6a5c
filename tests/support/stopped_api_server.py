"""The API server of a devcluster, which stops answering for some time: its connections stay open."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def stopped_api_server(port: int) -> Iterator[None]:
    """Stop the process of the API server on this port while the context lasts.

    The kernel still accepts connections and packets for it.
    """
    process_id = _api_server_process(port)
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def _api_server_process(port: int) -> int:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program, *arguments = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if program.endswith("kube-apiserver") and f"--secure-port={port}" in arguments:
            return int(folder.name)
    raise AssertionError(f"no API server on port {port}")
