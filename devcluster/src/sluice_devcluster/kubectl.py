"""kubectl, as a person would call it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from sluice_devcluster.errors import DevclusterError


class KubectlError(DevclusterError):
    """kubectl said no; the text is what it said."""


class Kubectl:
    """kubectl for one cluster. Every call ends after `timeout` seconds at most."""

    def __init__(self, program: Path, kubeconfig: Path, timeout: float = 120.0) -> None:
        """`program` is the kubectl to run."""
        self._command = [str(program), f"--kubeconfig={kubeconfig}"]
        self._timeout = timeout

    def __call__(self, *arguments: str, text: str | None = None) -> str:
        """Runs kubectl with `text` on its standard input and returns what it printed.

        Raises:
            KubectlError: it ended with another exit code than 0, or not in time.
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
        """`kubectl get … -o json`, decoded."""
        found: dict[str, Any] = json.loads(self("get", *arguments, "-o", "json"))
        return found

    def apply(self, documents: list[dict[str, Any]]) -> None:
        """Server-side apply: unlike the client's, it keeps no second copy of a large object in an annotation."""
        items = {"apiVersion": "v1", "kind": "List", "items": documents}
        self("apply", "--server-side", "--force-conflicts", "-f", "-", text=json.dumps(items))
