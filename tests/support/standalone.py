"""`sluice-runtime` on a machine without Kubernetes: its commands as processes, and its documents in Firestore."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice_devcluster.controlplane import find_free_port
from sluice_devcluster.emulator_documents import PROJECT, read_collection
from support.deadlines import scaled
from support.site import SPEC

# Variables of a runtime that may be set in the environment of the test run; the tests remove them.
_OF_OTHERS = ("SLUICE_JOB", "SLUICE_HTTP_TOKEN", "INGEST_ENABLED", "INGEST_ENABLED_FILE", "LOG_LEVEL")


class Machine:
    """A home directory with a job document in it. No other test uses the documents of `tenant`."""

    def __init__(self, home: Path, emulator: str, tenant: str) -> None:
        self.document = home / "job.yaml"
        self._home = home
        self._log = home / "log"
        self._emulator = emulator
        self._tenant = tenant
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if name not in _OF_OTHERS}
        state = str(self.state())
        self.environment = {**inherited, "SLUICE_STATE_DIR": state, "FIRESTORE_EMULATOR_HOST": emulator}

    def state(self, *names: str) -> Path:
        """Return a path in the folder where a runtime keeps what must survive a restart."""
        return self._home.joinpath("state", *names)

    def without_firestore(self) -> None:
        """Remove the emulator from the environment, so that a runtime has neither an emulator nor credentials."""
        del self.environment["FIRESTORE_EMULATOR_HOST"]
        self.environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(self.document.parent / "absent.json")

    def declare(self, **spec: Any) -> None:
        """Write the document: the usual job, changed by `spec`."""
        found = {**SPEC, "tenant": self._tenant, "firestore": {"projectID": PROJECT}, **spec}
        draft = self.document.with_suffix(".new")
        draft.write_text(json.dumps({"metadata": {"name": "us"}, "spec": found}))
        draft.replace(self.document)

    def call(self, *arguments: str) -> tuple[int, str]:
        """Run a command; returns its exit code and standard output."""
        done = self._done(arguments)
        return done.returncode, done.stdout

    def complaint(self, *arguments: str) -> tuple[int, str]:
        """Run a command; returns its exit code and standard error."""
        done = self._done(arguments)
        return done.returncode, done.stderr

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `sluice-runtime run` with the document. Kill it at the end of the context if it still runs."""
        command = self.command("run", "-f", str(self.document), "--port", str(self.port), *arguments)
        with self._log.open("wb") as log, subprocess.Popen(command, env=self.environment, stdout=log) as process:
            try:
                yield process
            finally:
                process.kill()

    def logged(self, event_type: str) -> list[str]:
        """Return the messages of one event type so far."""
        return [line["message"] for line in self.log_lines() if line["event_type"] == event_type]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the fields of all lines so far."""
        return [json.loads(text) for text in self.log_texts()]

    def log_texts(self) -> list[str]:
        """Return all lines so far."""
        whole, _, _ = self._log.read_text().rpartition("\n")  # the last line may still be written
        return whole.splitlines()

    def status(self) -> dict[str, Any]:
        """Return the status from the HTTP interface; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/runtime/ingest/status", timeout=scaled(5)) as answer:  # noqa: S310  on this machine
                found: dict[str, Any] = json.load(answer)
        except OSError:
            return {}
        return found

    def post(self, action: str) -> None:
        """Send an action, such as a start or a stop, to the HTTP interface."""
        request = urllib.request.Request(f"{self.url}/runtime/ingest/{action}", data=b"", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=scaled(20)):  # noqa: S310  on this machine
            pass

    def request(self, action: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Send an action to the HTTP interface; return the status and the body of the response, also of a refusal."""
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(f"{self.url}/runtime/ingest/{action}", data=data, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=scaled(20)) as response:  # noqa: S310  on this machine
                return response.status, json.load(response)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def put_epoch(self, epoch: int) -> None:
        """Set the epoch in the heartbeat document."""
        root = f"http://{self._emulator}/v1/projects/{PROJECT}/databases/(default)/documents"
        url = f"{root}/tenants/{self._tenant}/ops/market_ingest?updateMask.fieldPaths=epoch"
        body = json.dumps({"fields": {"epoch": {"integerValue": str(epoch)}}}).encode()
        headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=body, headers=headers, method="PATCH")  # noqa: S310
        with urllib.request.urlopen(request, timeout=scaled(10)):  # noqa: S310  the emulator, on this machine
            pass

    def delete_quote(self, symbol: str) -> None:
        """Delete the quote document of a symbol."""
        root = f"http://{self._emulator}/v1/projects/{PROJECT}/databases/(default)/documents"
        url = f"{root}/tenants/{self._tenant}/live_quotes/{symbol}"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer owner"}, method="DELETE")  # noqa: S310
        with urllib.request.urlopen(request, timeout=scaled(10)):  # noqa: S310  the emulator, on this machine
            pass

    def quotes(self) -> dict[str, dict[str, Any]]:
        """Return the quote documents, by symbol."""
        return {each["symbol"]: each for each in self._documents("live_quotes")}

    def heartbeat(self) -> dict[str, Any]:
        """Return the heartbeat document."""
        [found] = self._documents("ops")
        return found

    def _done(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def _documents(self, collection: str) -> list[dict[str, Any]]:
        return read_collection(self._emulator, f"tenants/{self._tenant}/{collection}")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line that runs `sluice-runtime` with these arguments."""
        return [sys.executable, "-m", "sluice_runtime", *arguments]
