"""The restart policy and the restart back-off of a container."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sluice_devcluster.api import Json

CEILING_SECONDS = 300.0
RESET_SECONDS = 600.0


@dataclass(frozen=True)
class RestartBackoff:
    """The kubelet's back-off of one container: none at first, then `base` seconds, doubled up to five minutes.

    `due` is the wait before the next restart, in seconds.
    """

    base: float = 10.0
    due: float = 0.0

    def after_run(self, ran_for: float) -> tuple[float, RestartBackoff]:
        """Return the seconds to wait after a run of `ran_for` seconds, and the next state of the back-off."""
        due = 0.0 if ran_for >= RESET_SECONDS else self.due
        following = min(due * 2, CEILING_SECONDS) if due else self.base
        return due, replace(self, due=following)


def is_restarted(policy: str, exit_code: int) -> bool:
    """Return True if a restart policy (Always, OnFailure, Never) restarts a container with this exit code."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def is_sidecar(container: Json) -> bool:
    """Return True for a native sidecar: an init container with restartPolicy Always."""
    return container.get("restartPolicy") == "Always"
