"""The progress of a command, on stderr."""

from __future__ import annotations

import sys
import time


class Progress:
    """Prints lines to stderr with the seconds since it was made, so that stdout stays for answers."""

    def __init__(self) -> None:
        """Starts the clock."""
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        """Prints one line."""
        print(f"{time.monotonic() - self._started:6.1f} s  {line}", file=sys.stderr, flush=True)
