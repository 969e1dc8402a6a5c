"""The limits at which a job pauses itself (spec.autoStop)."""

from __future__ import annotations

from sluice_contract.spec import AutoStop

# A stream that was live for this long was healthy: earlier failures no longer count.
_HEALTHY_SECONDS = 60.0


class FailureStreak:
    """Counts consecutive failures. `failures` is the total before counting starts."""

    def __init__(self, failures: int = 0) -> None:
        self.errors = 0
        self._failures = failures
        self._live_since: float | None = None

    def update(self, failures: int, is_live: bool, at: float) -> None:
        """Record the total of failures and whether the stream is live, at `at` in monotonic seconds."""
        new, self._failures = failures - self._failures, failures
        if new or not is_live:
            if self._live_since is not None and at - self._live_since >= _HEALTHY_SECONDS:
                self.errors = 0
            self._live_since = None
        if is_live and self._live_since is None:
            self._live_since = at
        self.errors += new


def exceeded_limit(limits: AutoStop, streaming_seconds: float, errors: int) -> str | None:
    """Return why the stream must stop; None while it may continue.

    `streaming_seconds` is the time since the last pause ended, `errors` the number of consecutive failures.
    """
    after, most = limits.after_seconds, limits.after_consecutive_errors
    if after is not None and streaming_seconds >= after:
        return f"autoStop.afterSeconds: the job has streamed for {after} s"
    if most is not None and errors >= most:
        return f"autoStop.afterConsecutiveErrors: {errors} consecutive failures"
    return None
