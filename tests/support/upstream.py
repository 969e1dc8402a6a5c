"""The Alpaca simulator in its own process, for pods that run as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from typing import Any

import msgspec

from sluice_simulators.alpaca.faults import Fault
from support.deadlines import scaled


class Upstream:
    """One running server. As a context manager, it stops the server at the end of the context."""

    def __init__(self, *arguments: str, module: str = "sluice_simulators.alpaca") -> None:
        """Start the server; `arguments` are those of `python -m MODULE`, which prints the server's addresses."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        addresses = json.loads(self._process.stdout.readline())
        self.url: str = addresses["url"]
        self._control: str = addresses["control"]

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(scaled(10))
        if self._process.stdout is not None:
            self._process.stdout.close()

    def record(self) -> dict[str, Any]:
        """Return the server's record of connections and requests; see sluice_simulators.alpaca.record."""
        with urllib.request.urlopen(f"{self._control}/_record", timeout=scaled(10)) as answer:  # noqa: S310  on this machine
            found: dict[str, Any] = json.load(answer)
        return found

    def script(self, *faults: Fault) -> None:
        """Apply these faults to the next connection. Without faults, it follows the protocol."""
        self._post("/_faults", faults)

    def inject(self, *faults: Fault) -> None:
        """Apply these faults now to the open connections."""
        self._post("/_inject", faults)

    @property
    def open_connections(self) -> list[dict[str, Any]]:
        """The connections that are open now."""
        return [each for each in self.record()["connections"] if each["closed"] is None]

    @property
    def subscribed(self) -> set[str]:
        """The symbols whose quotes are subscribed now, over all connections."""
        return {symbol for each in self.open_connections for symbol in each["subscription"].get("quotes", ())}

    def _post(self, route: str, faults: tuple[Fault, ...]) -> None:
        body = msgspec.json.encode({"faults": faults})
        urllib.request.urlopen(self._control + route, data=body, timeout=scaled(10)).close()  # noqa: S310  on this machine
