"""Switches in files: INGEST_ENABLED_FILE, which users write, and the file of the pod's own switches."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import msgspec

from ..domain.pause import Switch, parse_on_or_off
from ..domain.reload_report import FileReading
from ..switch_ports import SwitchListener
from .decoding import decode_json
from .user_text import read_first_line

_log = logging.getLogger(__name__)

_LONGEST_LINE = 100


class EnabledFilePoller:
    """Polls INGEST_ENABLED_FILE, whose first line that is not blank switches the ingestion on or off.

    An absent file means enabled. If the file cannot be read, the last state stays in force and the problem is reported.
    """

    def __init__(self, path: Path, poll_seconds: float, listener: SwitchListener) -> None:
        self._path = path
        self._poll_seconds = poll_seconds
        self._listener = listener
        self._switch = Switch(source=f"file:{path}", pauses=False)
        self._reported_problem: str | None = None

    def read_and_notify(self) -> FileReading:
        """Read the file, and pass the state of the switch to the listener. Return what the file contained.

        If the file cannot be read, report a new problem, and pass the last state.
        """
        try:
            line = self._read_line()
            is_on = line is None or parse_on_or_off(line)
            self._switch = msgspec.structs.replace(self._switch, pauses=not is_on)
            self._reported_problem = None
            content = "on" if is_on else "off"
            reading = FileReading(file=str(self._path), content="no file, so on" if line is None else content)
        except (OSError, ValueError) as error:  # ValueError: neither on nor off, or not text
            problem = self._report_new_failure(error)
            reading = FileReading(file=str(self._path), content="not usable", problem=problem)
        self._listener.set_switch(self._switch)
        return reading

    def reload(self) -> FileReading:
        """Read the file now, and report a problem even if it has been reported before."""
        self._reported_problem = None
        return self.read_and_notify()

    async def run(self) -> None:
        """Read the file every `poll_seconds`, until cancelled."""
        while True:
            self.read_and_notify()
            await asyncio.sleep(self._poll_seconds)

    def _read_line(self) -> str | None:
        """Return the line with the switch; None if there is no file."""
        try:
            line = read_first_line(self._path)
        except FileNotFoundError:
            return None
        if not line:  # a full disk can leave an empty file in place of "off"
            raise ValueError("the file is empty; write on or off into it")
        return line[:_LONGEST_LINE]

    def _report_new_failure(self, error: OSError | ValueError) -> str:
        """Return a sentence about the failure, and report it unless it was the last one that was reported."""
        problem = (error.strerror if isinstance(error, OSError) else None) or str(error)
        stands = "paused" if self._switch.pauses else "enabled"
        sentence = f"{self._path} cannot be read ({problem}); ingestion stays {stands}"
        if problem != self._reported_problem:  # otherwise it is the same as at the last poll
            self._reported_problem = problem
            self._listener.record_switch_failure(sentence)
        return sentence


class StoredSwitchesFile:
    """The file that stores the pod's own switches across restarts of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[Switch, ...]:
        """Return the switches that paused the job when the last process ended.

        Raises:
            OSError, msgspec.MsgspecError: the file exists but cannot be read.
        """
        try:
            return decode_json(self._path.read_bytes(), tuple[Switch, ...])
        except FileNotFoundError:
            return ()

    def write(self, switch: Switch) -> None:
        """Store the state of one switch. If the disk fails, the pause still takes effect until the process ends.

        A damaged file is renamed, so that it can be examined.
        """
        try:
            kept = {each.source: each for each in self._read_or_rename_damaged()} | {switch.source: switch}
            written = msgspec.json.encode([each for each in kept.values() if each.pauses])
            write_file_atomically(self._path, written)
        except OSError as error:
            _log.warning("cannot store the switch %s; it will not outlive this process: %s", switch.source, error)

    def _read_or_rename_damaged(self) -> tuple[Switch, ...]:
        try:
            return self.read()
        except msgspec.MsgspecError:
            self._path.replace(self._path.with_name(self._path.name + ".damaged"))
            return ()


def write_file_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically: readers see the whole old or the whole new content, even after a crash.

    Raises:
        OSError: the file cannot be written; the old content stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
