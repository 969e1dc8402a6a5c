"""Calls of kubectl as a subprocess."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from sluice_devcluster.errors import DevclusterError


class KubectlError(DevclusterError):
    """A kubectl command failed; the message has kubectl's own output."""


class Kubectl:
    """The kubectl program with the kubeconfig of one cluster; each call ends after `timeout` seconds at most."""

    def __init__(self, program: Path, kubeconfig: Path, timeout: float = 120.0) -> None:
        """`program` is the path of kubectl."""
        self._command = [str(program), f"--kubeconfig={kubeconfig}"]
        self._timeout = timeout

    def __call__(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl with `text` on its standard input and return its output.

        Raises KubectlError if the exit status is not 0, or on a timeout.
        """
        command = [*self._command, *arguments]
        try:
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, timeout=self._timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"kubectl {' '.join(arguments)} took longer than {self._timeout:.0f} s") from error
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """Run `kubectl get ... -o json` and return the decoded output."""
        found: dict[str, Any] = json.loads(self("get", *arguments, "-o", "json"))
        return found

    def apply(self, documents: list[dict[str, Any]]) -> None:
        """Apply the documents on the server's side.

        Unlike a client-side apply, this keeps no second copy of a large object in an annotation.
        """
        items = {"apiVersion": "v1", "kind": "List", "items": documents}
        self("apply", "--server-side", "--force-conflicts", "-f", "-", text=json.dumps(items))
