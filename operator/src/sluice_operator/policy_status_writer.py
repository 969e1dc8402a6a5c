"""Writes the status of each IngestPolicy whose effect has changed, at most once in two seconds."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from .domain.policy_status import status_of_policy
from .policy_state import PolicyState
from .ports import ClusterError, NotFound, PolicyStatuses, seconds_until_retry

log = logging.getLogger(__name__)

PERIOD_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 30.0


class PolicyStatusWriter:
    """Compares the status of each changed policy with its effect, and writes it if they differ."""

    def __init__(
        self,
        statuses: PolicyStatuses,
        state: PolicyState,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`now` returns the time in UTC."""
        self._statuses = statuses
        self._state = state
        self._now = now
        self._sleep = sleep
        self._asked_seconds = 0.0  # for which the API server wants no request, as its last failures said

    async def run(self) -> None:
        """Write statuses forever. A failed write is repeated after 30 s, or later if the API server asks for that."""
        self._state.mark_all_policies_changed()
        while True:
            failed = await self.write_changed_statuses() if self._state.is_known else []
            await self._sleep(max(RETRY_SECONDS, self._asked_seconds) if failed else PERIOD_SECONDS)
            self._state.mark_policies_changed(failed)

    async def write_changed_statuses(self) -> list[str]:
        """Write the status of each policy whose effect has changed. Return the names of those that failed."""
        failed = []
        self._asked_seconds = 0.0
        for name in self._state.take_changed_policies():
            stored = self._state.policy_object(name)
            if stored is None:
                continue
            status = status_of_policy(stored, await self._state.effect_of_policy(name), self._now())
            if status == stored.status:
                continue
            try:
                self._state.put_written(await self._statuses.write_policy_status(stored, status))
            except NotFound:
                continue  # it was deleted meanwhile
            except ClusterError as error:
                failed.append(name)
                self._asked_seconds = seconds_until_retry(error, self._asked_seconds)
                log.warning("the status of a policy was not written", extra={"policy": name, "error": str(error)})
        return failed
