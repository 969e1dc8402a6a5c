"""Container logs: one file for each run, each line with its time, as `kubectl logs` wants to read them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_LINE = 16 * 1024


class ContainerLog:
    """The log of one run of a container; stdout and stderr arrive in pieces and are cut into lines."""

    def __init__(self, path: Path) -> None:
        """Opens the file for appending."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._pending = {"stdout": b"", "stderr": b""}
        self._waiting: list[asyncio.Future[None]] = []
        self.closed = False

    def write(self, stream: str, data: bytes) -> None:
        """Adds what a stream delivered; a line longer than 16 KiB is cut."""
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
        """Writes unfinished lines and tells followers that no more will come."""
        for stream, rest in list(self._pending.items()):
            if rest:
                self.write(stream, b"\n")
        self.closed = True
        self._file.close()
        self._wake_followers()

    async def wait_for_change(self) -> None:
        """Returns when something was written or the log was closed."""
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
    """Which lines a reader wants; `since` leaves out older ones, `tail` all but the last so many."""

    tail: int | None = None
    since: dt.datetime | None = None
    timestamps: bool = False
    follow: bool = False


def select_lines(lines: list[bytes], selection: LogSelection) -> list[bytes]:
    """The chosen lines of those in a log file, without their times unless these are wanted.

    >>> select([b"2026-01-01T00:00:00.000000000Z a", b"2026-01-01T00:00:01.000000000Z b"], Selection(tail=1))
    [b'b']
    """
    if selection.since is not None:
        # Times of one form and one zone sort as text.
        since = selection.since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
        lines = [line for line in lines if line >= since]
    if selection.tail is not None:
        lines = lines[-selection.tail :] if selection.tail > 0 else []
    if selection.timestamps:
        return lines
    return [line.partition(b" ")[2] for line in lines]


async def read_log(path: Path, live: ContainerLog | None, selection: LogSelection) -> AsyncIterator[bytes]:
    """The chosen lines of a log file, and what is added to it while `live` is open, when following."""
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
    """The end of a log for a termination message: at most so many lines and so many bytes."""
    lines = select_lines(path.read_bytes().splitlines(), LogSelection(tail=count))
    return b"\n".join(lines)[-size:].decode(errors="replace")
