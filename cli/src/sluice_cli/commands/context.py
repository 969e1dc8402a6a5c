"""What a command gets besides its arguments, and what it raises if they are wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TextIO

from ..text.instants import UTC
from ..text.terminal import Terminal
from ..transport import Kubectl
from .cluster_requests import ClusterRequests

DONE, NOT_REACHED, USAGE = 0, 1, 2  # exit codes


class UsageError(Exception):
    """The arguments do not fit together; the text says what to write instead."""


def utc_now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


class Context(NamedTuple):
    """The cluster, the output, the input and the clock of a command."""

    kubectl: Kubectl
    terminal: Terminal
    output: TextIO
    errors: TextIO
    input: TextIO = sys.stdin
    environment: Mapping[str, str] = {}
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    requests: ClusterRequests | None = None

    def write(self, *lines: str) -> None:
        """Write lines to the output, which shows them at once."""
        self.output.write("".join(self.terminal.to_output(line) + "\n" for line in lines))
        self.output.flush()

    def warn(self, *lines: str) -> None:
        """Write lines to the errors."""
        self.errors.write("".join(self.terminal.to_output(line) + "\n" for line in lines))
        self.errors.flush()
