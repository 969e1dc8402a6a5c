"""The limits at which a job pauses itself (spec.autoStop)."""

from __future__ import annotations

from sluice_contract.spec import AutoStopLimits

# A stream that was live for this long was healthy: earlier failures no longer count.
_HEALTHY_SECONDS = 60.0


class FailureStreak:
    """Counts the consecutive failures of the stream.

    `failures` is the total number of failures at the start; only later failures are counted.
    """

    def __init__(self, failures: int = 0) -> None:
        self.consecutive_failures = 0
        self._failures = failures
        self._live_since: float | None = None

    def update_from_total(self, total_failures: int, is_live: bool, at: float) -> None:
        """Count the failures since the last call, and start again at zero after a stream that was live for 60 s.

        `total_failures` is the total since the process started, `at` the time in monotonic seconds.
        """
        new, self._failures = total_failures - self._failures, total_failures
        if new or not is_live:
            if self._live_since is not None and at - self._live_since >= _HEALTHY_SECONDS:
                self.consecutive_failures = 0
            self._live_since = None
        if is_live and self._live_since is None:
            self._live_since = at
        self.consecutive_failures += new


def exceeded_limit_message(limits: AutoStopLimits, streaming_seconds: float, consecutive_errors: int) -> str | None:
    """Return a sentence that names the exceeded limit; None if no limit is exceeded.

    `streaming_seconds` is the time since the last pause ended.
    """
    max_seconds, max_errors = limits.after_seconds, limits.after_consecutive_errors
    if max_seconds is not None and streaming_seconds >= max_seconds:
        return f"autoStop.afterSeconds: the job has streamed for {max_seconds} s"
    if max_errors is not None and consecutive_errors >= max_errors:
        return f"autoStop.afterConsecutiveErrors: {consecutive_errors} consecutive failures"
    return None
