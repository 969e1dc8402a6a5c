"""A runtime that is started with `.env.example` as it is: a dry run with simulated quotes, without any key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from sluice_devcluster.controlplane import find_free_port
from support.deadlines import scaled
from support.site import eventually

TEMPLATE = Path(__file__).resolve().parents[2] / ".env.example"
# The commands of the template's first lines, for a shell.
START = 'set -a; . "$1"; set +a; exec "$2" -m sluice_runtime run --port "$3"'


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=scaled(5)) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_a_runtime_starts_with_the_template_as_it_is(tmp_path: Path) -> None:
    port = find_free_port()
    command = ["sh", "-euc", START, "sh", str(TEMPLATE), sys.executable, str(port)]
    log = tmp_path / "log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with log.open("wb") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process:
        try:
            eventually(lambda: is_ready(port) or process.poll() is not None, seconds=30)
            assert process.poll() is None, log.read_text()
            eventually(lambda: '"would_write"' in log.read_text(), seconds=15)
            process.send_signal(signal.SIGTERM)
            assert process.wait(scaled(20)) == 0
        finally:
            process.kill()
