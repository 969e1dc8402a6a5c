"""Checks once, with an ingest account of one namespace, whether running pods may watch both kinds of pauses."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sluice_contract import identity

from .domain.pause_access import PAUSE_PLURALS, access_problem_sentence
from .domain.pause_objects import PauseKey
from .ports import AccessReviews, ClusterError

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 60.0  # while there is no namespace with an account, no answer, or a problem


class PauseAccess:
    """The kinds of pauses that ingest pods may not watch. Nothing waits for the check."""

    def __init__(self, reviews: AccessReviews, namespaces: Callable[[], set[str]]) -> None:
        """`namespaces` returns the namespaces in which the ServiceAccount and the RoleBinding are applied."""
        self._reviews = reviews
        self._namespaces = namespaces
        self._allowed: dict[str, bool] = {}
        self._problems: dict[str, str] = {}

    def problem_of_pause(self, key: PauseKey) -> str:
        """Return why running pods cannot see the pause, and what to do; empty if nothing is known to prevent it."""
        return self._problems.get(identity.PAUSES if key[0] else identity.CLUSTER_PAUSES, "")

    def values_by_kind(self) -> dict[str, float]:
        """Return 1 for each kind that ingest pods may watch and 0 for each that they may not, once it is checked."""
        return {plural: float(is_allowed) for plural, is_allowed in self._allowed.items()}

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Check until ingest pods may watch both kinds, once a minute. Then return."""
        while not await self.check():
            await sleep(RETRY_SECONDS)

    async def check(self) -> bool:
        """Check both kinds with the account of one namespace. Return whether its pods may watch both."""
        if not (namespaces := self._namespaces()):
            return False
        namespace = min(namespaces)
        for plural in PAUSE_PLURALS:
            try:
                is_allowed = await self._reviews.ingest_account_may_watch(namespace, plural)
            except ClusterError as error:
                log.warning(
                    "it is not known whether ingest pods may watch pauses; checking again in a minute",
                    extra={"kind": plural, "error": f"{type(error).__name__}: {error}"},
                )
                return False
            self._record(plural, namespace, is_allowed)
        return all(self._allowed.values())

    def _record(self, plural: str, namespace: str, is_allowed: bool) -> None:
        problem = "" if is_allowed else access_problem_sentence(plural)
        known = self._problems.get(plural, "")
        self._allowed[plural], self._problems[plural] = is_allowed, problem
        if problem and not known:
            log.error(
                "ingest pods do not see pauses", extra={"kind": plural, "namespace": namespace, "reason": problem}
            )
        elif known and not problem:
            log.info("ingest pods may watch pauses", extra={"kind": plural})
