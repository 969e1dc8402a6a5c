"""When a container that ended is started again."""

from __future__ import annotations

from dataclasses import dataclass, replace

CEILING_SECONDS = 300.0
RESET_SECONDS = 600.0


@dataclass(frozen=True)
class RestartBackoff:
    """The kubelet's back-off of one container: at once, then `base` seconds, doubling up to five minutes.

    `due` is what the next restart has to wait, in seconds.
    """

    base: float = 10.0
    due: float = 0.0

    def after_run(self, ran_for: float) -> tuple[float, RestartBackoff]:
        """The seconds to wait now that the container has ended after `ran_for` seconds, and the next state."""
        due = 0.0 if ran_for >= RESET_SECONDS else self.due
        following = min(due * 2, CEILING_SECONDS) if due else self.base
        return due, replace(self, due=following)


def is_restarted(policy: str, exit_code: int) -> bool:
    """Whether a pod's restart policy (Always, OnFailure, Never) starts a container again."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)
