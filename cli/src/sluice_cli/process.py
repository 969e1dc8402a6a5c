"""A process whose output is kept. Only `os` is imported: subprocess takes 5 ms, in which kubectl can already work."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

_SIGKILL, _SIGPIPE = 9, 13  # the module signal takes 1 ms
_CHUNK_BYTES = 1 << 16


class SpawnedProcess:
    """A running program of PATH, with pipes from its output and its errors."""

    def __init__(self, command: Sequence[str], text: str | None = None) -> None:
        """Start the program with a text, or nothing, on its standard input. Raises OSError if it cannot start.

        What a pipe does not hold of the text, about 64 KiB, is written while `result` reads the output.
        """
        # kubectl would collect garbage several times in its 60 ms. The limit of memory is for commands that run on.
        environment = {"GOGC": "off", "GOMEMLIMIT": "256MiB", **os.environ}
        self._output, output = os.pipe()
        self._errors, errors = os.pipe()
        given, write_end = (os.open(os.devnull, os.O_RDONLY), None) if text is None else os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate((given, output, errors))]
        try:
            self._pid = os.posix_spawnp(
                command[0], list(command), environment, file_actions=actions, setsigdef=[_SIGPIPE]
            )  # Python ignores SIGPIPE, programs do not expect that
        except OSError:
            _close(self._output, self._errors, *([] if write_end is None else [write_end]))
            raise
        finally:
            _close(given, output, errors)
        self._status: int | None = None
        self._input, self._unwritten = write_end, (text or "").encode()
        if self._input is not None:
            os.set_blocking(self._input, False)
            self._write()

    def result(self, seconds: float | None = None) -> tuple[int, str, str]:
        """Wait for the end of the process. Return its exit status, its output and its errors.

        After `seconds`, the process is ended. It must be called once only.
        """
        output, errors = self._read_pipes(seconds)
        self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._status, output.decode(errors="replace"), errors.decode(errors="replace")

    def discard(self) -> None:
        """End the process if nothing has waited for it."""
        if self._status is None:
            os.kill(self._pid, _SIGKILL)
            self.result()

    def _write(self) -> None:
        """Write what the pipe takes now of the standard input, and close it after the last byte."""
        if self._input is None:
            return
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._input, self._unwritten[:_CHUNK_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # the program has ended, and says why
            pass
        os.close(self._input)
        self._input = None

    def _read_pipes(self, seconds: float | None) -> tuple[bytes, bytes]:
        import select  # noqa: PLC0415  not needed to start

        deadline = None if seconds is None else time.monotonic() + seconds
        found: dict[int, list[bytes]] = {self._output: [], self._errors: []}
        waiting = select.poll()
        for each in found:
            waiting.register(each, select.POLLIN)
        if self._input is not None:
            waiting.register(self._input, select.POLLOUT)
        still_open = len(found)
        while still_open:
            remaining = None if deadline is None else max(0.0, 1000 * (deadline - time.monotonic()))
            ready = waiting.poll(remaining)
            if not ready:
                deadline = None
                os.kill(self._pid, _SIGKILL)
            for each, _ in ready:
                if self._has_more(each, found):
                    continue
                waiting.unregister(each)
                still_open -= each in found
        _close(*found, *([] if self._input is None else [self._input]))
        return b"".join(found[self._output]), b"".join(found[self._errors])

    def _has_more(self, ready: int, found: dict[int, list[bytes]]) -> bool:
        """Write to or read from the pipe that is ready. Return False if it has come to its end."""
        if ready not in found:
            self._write()
            return self._input is not None
        chunk = os.read(ready, _CHUNK_BYTES)
        found[ready].append(chunk)
        return bool(chunk)


def _close(*descriptors: int) -> None:
    for each in descriptors:
        os.close(each)
