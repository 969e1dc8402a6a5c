"""When a job pauses itself."""

from __future__ import annotations

from sluice_contract.spec import AutoStop

# A stream that was live for this long was well: what failed before is forgotten.
_HEALTHY_SECONDS = 60.0


class Streak:
    """Failures in a row. `failures` is the count of all there were before."""

    def __init__(self, failures: int = 0) -> None:
        self.errors = 0
        self._failures = failures
        self._live_since: float | None = None

    def note(self, failures: int, is_live: bool, at: float) -> None:
        """How things stand at `at`, in monotonic seconds: the count of all failures, and whether the stream is live."""
        new, self._failures = failures - self._failures, failures
        if new or not is_live:
            if self._live_since is not None and at - self._live_since >= _HEALTHY_SECONDS:
                self.errors = 0
            self._live_since = None
        if is_live and self._live_since is None:
            self._live_since = at
        self.errors += new


def breach(limits: AutoStop, streaming_seconds: float, errors: int) -> str | None:
    """Why the stream has to stop; None while it may go on.

    `streaming_seconds` is the time since no switch pauses, `errors` the failures in a row.
    """
    after, most = limits.after_seconds, limits.after_consecutive_errors
    if after is not None and streaming_seconds >= after:
        return f"autoStop.afterSeconds: it has streamed for {after} s"
    if most is not None and errors >= most:
        return f"autoStop.afterConsecutiveErrors: {errors} failures in a row"
    return None
