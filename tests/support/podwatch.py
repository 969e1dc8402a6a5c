"""The lives of the pods of a namespace, from the API server's watch."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from support.kind import program
from support.site import instant


@dataclass
class PodLife:
    """One pod, from its first event to its last; `born` and `gone` are positions in the order of all events.

    `deadline` is the end of the grace period as first announced: the kubelet's own deletion at the end changes it.
    """

    uid: str
    name: str
    image: str
    born: int
    gone: int | None = None
    deadline: datetime | None = None
    last: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the container, as the kubelet reported it."""
        code: int | None = self._ended().get("exitCode")
        return code

    @property
    def was_graceful(self) -> bool:
        """True if the container exited within the grace period."""
        assert self.deadline is not None
        return instant(self._ended()["finishedAt"]) <= self.deadline

    def _ended(self) -> dict[str, Any]:
        assert self.last is not None
        [container] = self.last["status"]["containerStatuses"]
        found: dict[str, Any] = container["state"].get("terminated", {})
        return found


class PodWatch:
    """The events so far, in a file that a running `kubectl get --watch` writes."""

    def __init__(self, file: Path) -> None:
        """Read `file` for each question."""
        self._file = file

    def lives(self, name: str) -> list[PodLife]:
        """Return the pods of this name, in order of creation."""
        lives: dict[str, PodLife] = {}
        for place, event in enumerate(read_watch_events(self._file)):
            pod = event["object"]
            if pod["metadata"]["name"] != name:
                continue
            uid, image = pod["metadata"]["uid"], pod["spec"]["containers"][0]["image"]
            life = lives.setdefault(uid, PodLife(uid, name, image, place))
            life.last = pod
            if life.deadline is None and "deletionTimestamp" in pod["metadata"]:
                life.deadline = instant(pod["metadata"]["deletionTimestamp"])
            if event["type"] == "DELETED":
                life.gone = place
        return list(lives.values())


def read_watch_events(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the events in the file of `watch_into_file`, in order."""
    text, decoder, start = file.read_text(), json.JSONDecoder(), 0
    while (start := text.find("{", start)) >= 0:
        try:
            event, start = decoder.raw_decode(text, start)
        except json.JSONDecodeError:  # kubectl is still writing the last line
            return
        yield event


@contextmanager
def watch_into_file(kubeconfig: Path, plural: str, namespace: str, file: Path) -> Iterator[None]:
    """Watch all objects of a kind in a namespace while the context lasts, and write the events into the file."""
    command = [str(program("kubectl")), f"--kubeconfig={kubeconfig}", "get", plural, "-n", namespace]
    command += ["--watch", "--output-watch-events", "-o", "json"]
    with file.open("w") as out, subprocess.Popen(command, stdout=out) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def watched(kubeconfig: Path, namespace: str, folder: Path) -> Iterator[PodWatch]:
    """Watch all pods of a namespace while the context lasts."""
    file = folder / f"pods-{namespace}.json"
    with watch_into_file(kubeconfig, "pods", namespace, file):
        yield PodWatch(file)
