"""The writes of the operator to the status of a job, from the API server's watch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.podwatch import read_watch_events

Status = dict[str, Any]


class StatusWatch:
    """The statuses of one job so far, in the file of `watch_into_file`."""

    def __init__(self, file: Path) -> None:
        """Read `file` for each question."""
        self._file = file
        self._counted = 0

    @property
    def newest(self) -> dict[str, Any]:
        """The job in the newest event; empty before the first."""
        job: dict[str, Any] = {}
        for event in read_watch_events(self._file):
            job = event["object"]
        return job

    def writes_since_last_call(self) -> list[Status]:
        """Return each status that the operator has written since the last call, without the part of the pod."""
        statuses: list[Status] = [{}]
        for event in read_watch_events(self._file):
            status = {name: value for name, value in event["object"].get("status", {}).items() if name != "stream"}
            if status != statuses[-1]:
                statuses.append(status)
        found = statuses[1 + self._counted :]
        self._counted = len(statuses) - 1
        return found


def ready_texts(statuses: list[Status]) -> list[str]:
    """Return reason and message of condition Ready of each status."""
    conditions = [each for status in statuses for each in status["conditions"] if each["type"] == "Ready"]
    return [f"{each['reason']}: {each['message']}" for each in conditions]
