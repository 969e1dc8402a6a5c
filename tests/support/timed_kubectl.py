"""kubectl with the deadlines of the tests."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sluice_devcluster.kubectl import Kubectl
from support.deadlines import SLOWNESS, Deadline, scaled
from support.direct_requests import DirectClient, apply_path, request_of

TIMEOUT = re.compile(r"--timeout=([0-9]+)s")


def scale_timeouts(text: str) -> str:
    """Return a command in which the seconds of each `--timeout=` are multiplied by SLUICE_TEST_SLOWNESS."""
    return TIMEOUT.sub(lambda found: f"--timeout={round(float(found[1]) * SLOWNESS)}s", text)


class TimedKubectl(Kubectl):
    """Scales the `--timeout` of each call, and records how much of it was needed.

    Objects of the usual kinds are read and applied without a process, because many tests read one until it has changed.
    """

    def __init__(self, program: Path, kubeconfig: Path, timeout: float = 120.0) -> None:
        """`program` is the path of kubectl. A call without `--timeout` ends after `timeout` seconds at most."""
        super().__init__(program, kubeconfig, scaled(timeout))
        self._kubeconfig = kubeconfig

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

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get ... -o json` prints. Whatever cannot be read directly, kubectl reads or explains."""
        if self._client is not None and (request := request_of(arguments)) is not None:
            with suppress(OSError, HTTPException):
                if (found := self._client.read(request)) is not None:
                    return found
        return super().get(*arguments)

    def apply(self, documents: list[dict[str, Any]]) -> None:
        """Apply the documents on the server's side. What cannot be applied directly, kubectl applies or explains."""
        if not self._apply_directly(documents):
            super().apply(documents)

    def _apply_directly(self, documents: list[dict[str, Any]]) -> bool:
        """Apply the documents without kubectl. Return whether nothing is left to do for it."""
        paths = [apply_path(each) for each in documents]
        if self._client is None or None in paths:
            return False
        with suppress(OSError, HTTPException):
            return all(self._client.apply(path, each) for path, each in zip(paths, documents, strict=True) if path)
        return False

    @cached_property
    def _client(self) -> DirectClient | None:
        """None if the kubeconfig does not describe one cluster and one client certificate."""
        try:
            return DirectClient(self._kubeconfig, self._timeout)
        except (KeyError, ValueError):
            return None
