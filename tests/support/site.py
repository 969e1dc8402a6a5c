"""Sluice on a real API server, used as its users do: through kubectl and Firestore."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sluice_devcluster.emulator_documents import read_collection
from sluice_devcluster.kubectl import Kubectl
from support.deadlines import Deadline
from support.upstream import Upstream

T = TypeVar("T")

# The spec of a test's job unless the test changes it: frequent quotes, and no write limit to wait for.
SPEC: dict[str, Any] = {
    "provider": "synthetic",
    "synthetic": {"quotesPerSecond": 50},
    "symbols": ["SPY", "AAPL"],
    "limits": {"minIntervalMilliseconds": 100, "writesPerSecond": 100, "burst": 100, "flushIntervalMilliseconds": 50},
    "heartbeat": {"intervalSeconds": 1},
}


def eventually(check: Callable[[], T | None], seconds: float = 15.0, every: float = 0.05) -> T:
    """Return the first true result of `check`; if there is none in time, fail with its last result."""
    deadline = Deadline(seconds)
    while not (found := check()):
        assert not deadline.has_passed, f"not within {deadline.seconds:.0f} s; last: {found!r}"
        time.sleep(every)
    deadline.record("eventually")
    return found


class Tenant:
    """One namespace, its jobs and its documents."""

    def __init__(self, kubectl: Kubectl, emulator: str, name: str) -> None:
        """Create the namespace, at Pod Security's restricted level."""
        self.kubectl = kubectl
        self.name = name
        self._emulator = emulator
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "sluice.dev/tenant": name}
        kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}])

    def apply(self, job: str = "feed", **spec: Any) -> None:
        """Apply a job: SPEC, changed by `spec`; a field whose value is None is left out."""
        fields = {**copy.deepcopy(SPEC), "tenant": self.name, **spec}
        if fields["provider"] != "synthetic":
            fields.pop("synthetic")
        self.kubectl.apply(
            [
                {
                    "apiVersion": "sluice.dev/v1alpha1",
                    "kind": "IngestJob",
                    "metadata": {"name": job, "namespace": self.name},
                    "spec": {name: value for name, value in fields.items() if value is not None},
                }
            ]
        )

    def allow_injected_containers(self) -> None:
        """Let webhooks inject containers into the ingest pods of the namespace, as only the platform can."""
        self.kubectl("label", "namespace", self.name, "sluice.dev/injected-containers=true")

    def secret(self, name: str, **values: str) -> None:
        """Create or change a Secret."""
        metadata = {"name": name, "namespace": self.name}
        self.kubectl.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}])

    def patch(self, job: str = "feed", **spec: Any) -> None:
        """Send a merge patch of the spec, as a user does."""
        self.run("patch", "ij", job, "--type=merge", "-p", json.dumps({"spec": spec}))

    def run(self, *arguments: str) -> str:
        """Run kubectl in this namespace."""
        return self.kubectl("-n", self.name, *arguments)

    def job(self, name: str = "feed") -> dict[str, Any]:
        """Return the current IngestJob."""
        return self.kubectl.get("ij", name, "-n", self.name)

    def pods(self) -> list[dict[str, Any]]:
        """Return all pods of the namespace."""
        found: list[dict[str, Any]] = self.kubectl.get("pods", "-n", self.name)["items"]
        return found

    def condition(self, kind: str, job: str = "feed") -> tuple[str, str]:
        """Return the status and reason of a condition, or ("", "") if the job does not have it."""
        for each in self.job(job).get("status", {}).get("conditions", ()):
            if each["type"] == kind:
                return each["status"], each["reason"]
        return "", ""

    def settled(self, reason: str, job: str = "feed", seconds: float = 20.0) -> dict[str, Any]:
        """Wait until Ready has this reason for the newest generation; returns the status."""

        def check() -> dict[str, Any] | None:
            found = self.job(job)
            status: dict[str, Any] = found.get("status", {})
            for each in status.get("conditions", ()):
                if each["type"] == "Ready" and each["reason"] == reason:
                    return status if status["observedGeneration"] == found["metadata"]["generation"] else None
            return None

        return eventually(check, seconds)

    def quotes(self) -> dict[str, dict[str, Any]]:
        """Return the tenant's quote documents, by symbol."""
        return {each["symbol"]: each for each in read_collection(self._emulator, f"tenants/{self.name}/live_quotes")}

    def heartbeat(self) -> dict[str, Any]:
        """Return the tenant's heartbeat document; empty if there is none."""
        found = read_collection(self._emulator, f"tenants/{self.name}/ops")
        return found[0] if found else {}

    def writes(self) -> dict[str, int]:
        """Return each symbol's sequence number, which rises with every write of a process."""
        return {symbol: int(quote["seq"]) for symbol, quote in self.quotes().items()}


def streaming_from(upstream: Upstream) -> dict[str, Any]:
    """Return the spec fields of a job that streams from this server, with the credentials in the Secret `alpaca`."""
    return {
        "provider": "alpaca",
        "alpaca": {"streamURL": upstream.url, "credentialsSecretRef": {"name": "alpaca"}},
    }


def instant(text: str) -> datetime:
    """Parse an RFC 3339 time as Kubernetes and Firestore write it."""
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{head}.{(fraction + '000000')[:6]}+00:00")
