"""kubectl with the deadlines of the tests."""

from __future__ import annotations

import re
from pathlib import Path

from sluice_devcluster.kubectl import Kubectl
from support.deadlines import SLOWNESS, Deadline, scaled

TIMEOUT = re.compile(r"--timeout=([0-9]+)s")


def scale_timeouts(text: str) -> str:
    """Return a command in which the seconds of each `--timeout=` are multiplied by SLUICE_TEST_SLOWNESS."""
    return TIMEOUT.sub(lambda found: f"--timeout={round(float(found[1]) * SLOWNESS)}s", text)


class TimedKubectl(Kubectl):
    """Scales the `--timeout` of each call, and records how much of it was needed."""

    def __init__(self, program: Path, kubeconfig: Path, timeout: float = 120.0) -> None:
        """`program` is the path of kubectl. A call without `--timeout` ends after `timeout` seconds at most."""
        super().__init__(program, kubeconfig, scaled(timeout))

    def __call__(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl with `text` on its standard input and return its output.

        Raises KubectlError if the exit status is not 0, or on a timeout.
        """
        limits = [float(found[1]) for each in arguments if (found := TIMEOUT.fullmatch(each))]
        deadline = Deadline(limits[0]) if limits else None
        output = super().__call__(*map(scale_timeouts, arguments), text=text)
        if deadline is not None:
            deadline.record(f"kubectl {arguments[0]}")
        return output
