"""Container logs: one file for each run, in which each line begins with its time, as `kubectl logs` expects."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_LINE = 16 * 1024


class ContainerLog:
    """The log of one run of a container; splits the output of stdout and stderr into lines."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._pending = {"stdout": b"", "stderr": b""}
        self._waiting: list[asyncio.Future[None]] = []
        self.closed = False

    def write(self, stream: str, data: bytes) -> None:
        """Add output of a stream; a line longer than 16 KiB is split."""
        *lines, rest = (self._pending[stream] + data).split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._pending[stream] = rest
        if lines:
            now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z").encode()
            self._file.write(b"".join(b"%s %s\n" % (now, line) for line in lines))
            self._wake_followers()

    def close(self) -> None:
        """Write unfinished lines, close the file and wake the readers that follow the log."""
        for stream, rest in list(self._pending.items()):
            if rest:
                self.write(stream, b"\n")
        self.closed = True
        self._file.close()
        self._wake_followers()

    async def wait_for_change(self) -> None:
        """Wait until lines are added or the log is closed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def _wake_followers(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


@dataclass(frozen=True)
class LogSelection:
    """The lines that a reader wants: `since` omits older lines, `tail` omits all but the last ones."""

    tail: int | None = None
    since: dt.datetime | None = None
    timestamps: bool = False
    follow: bool = False


def select_lines(lines: list[bytes], selection: LogSelection) -> list[bytes]:
    """Return the selected lines of a log file; they include their times only if the selection asks for them.

    >>> select_lines([b"2026-01-01T00:00:00.000000000Z a", b"2026-01-01T00:00:01.000000000Z b"], LogSelection(tail=1))
    [b'b']
    """
    if selection.since is not None:
        # Times in one format and one time zone compare as text.
        since = selection.since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
        lines = [line for line in lines if line >= since]
    if selection.tail is not None:
        lines = lines[-selection.tail :] if selection.tail > 0 else []
    if selection.timestamps:
        return lines
    return [line.partition(b" ")[2] for line in lines]


async def read_log(path: Path, live: ContainerLog | None, selection: LogSelection) -> AsyncIterator[bytes]:
    """Yield the selected lines of a log file; with `follow`, also the lines added until `live` is closed."""
    with path.open("rb") as file:
        for line in select_lines(file.read().splitlines(), selection):
            yield line + b"\n"
        rest = LogSelection(timestamps=selection.timestamps)
        while selection.follow and live is not None:
            closed = live.closed
            fresh = file.read()
            for line in select_lines(fresh.splitlines(), rest):
                yield line + b"\n"
            if closed:
                return
            if not fresh:
                await live.wait_for_change()


def last_lines(path: Path, count: int = 80, size: int = 2048) -> str:
    """Return the end of a log for a termination message: at most `count` lines and `size` bytes."""
    lines = select_lines(path.read_bytes().splitlines(), LogSelection(tail=count))
    return b"\n".join(lines)[-size:].decode(errors="replace")
