"""The progress messages of a command, on stderr."""

from __future__ import annotations

import sys
import time


class ProgressPrinter:
    """Print lines to stderr with the seconds since the start, so that stdout contains only results."""

    def __init__(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._started:6.1f} s  {line}", file=sys.stderr, flush=True)
