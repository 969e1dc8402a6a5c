"""The pause objects that can concern the job, as the pod has read them last."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sluice_contract.identity import CLUSTER_PAUSES

from ..aio.latest_value import LatestValue
from ..domain.pause_objects import NO_PAUSES, KnownPauses, PausesOfKind


class PauseStates(LatestValue[KnownPauses]):
    """The pause objects of both kinds. A kind that cannot be read keeps the pauses that were read last."""

    def __init__(self, record_failure: Callable[[str], None]) -> None:
        """There are no pause objects until a watch sets them. `record_failure` logs and counts a failed check."""
        super().__init__(NO_PAUSES)
        self._record_failure = record_failure

    def expect_first_read(self, stored: KnownPauses | None) -> None:
        """Set that the pauses are unread, so that the job does not stream. `stored` ones are in force meanwhile."""
        known = stored or NO_PAUSES
        self.set(
            KnownPauses(
                of_cluster=msgspec.structs.replace(known.of_cluster, are_read=False),
                of_namespace=msgspec.structs.replace(known.of_namespace, are_read=False),
            )
        )

    def accept_restored_pauses(self) -> None:
        """Set that the pauses are read, although the API server has not answered yet."""
        self.set(
            KnownPauses(
                of_cluster=msgspec.structs.replace(self.value.of_cluster, are_read=True),
                of_namespace=msgspec.structs.replace(self.value.of_namespace, are_read=True),
            )
        )

    def set_pauses(self, resource: str, pauses: PausesOfKind) -> None:
        """Set the pause objects of a kind, which is named by its plural."""
        field = "of_cluster" if resource == CLUSTER_PAUSES else "of_namespace"
        self.set(msgspec.structs.replace(self.value, **{field: pauses}))

    def record_unreadable_pauses(self, resource: str, message: str) -> None:
        """Record that a kind cannot be read: `message` says why. A new problem is logged and counted."""
        before = self._of_kind(resource)
        if before.problem != message:
            self._record_failure(message)
        self.set_pauses(resource, msgspec.structs.replace(before, are_read=True, problem=message))

    def _of_kind(self, resource: str) -> PausesOfKind:
        return self.value.of_cluster if resource == CLUSTER_PAUSES else self.value.of_namespace
