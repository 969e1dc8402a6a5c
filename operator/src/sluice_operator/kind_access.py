"""Which of the optional kinds the operator cannot watch, and why. A change is logged once."""

from __future__ import annotations

import logging

from .domain.optional_kinds import OPTIONAL_KINDS, problem_of_kind

log = logging.getLogger(__name__)


class KindAccess:
    """The optional kinds that the operator cannot list and watch, each with a sentence that says what to do."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    def problem_of(self, plural: str) -> str:
        """Return why the kind cannot be watched; empty if nothing is known to prevent it."""
        return self._problems.get(plural, "")

    def values_by_kind(self) -> dict[str, float]:
        """Return 1 for each optional kind that can be watched, and 0 for each other, by its plural."""
        return {plural: float(plural not in self._problems) for plural in OPTIONAL_KINDS}

    def record_refusal(self, plural: str, status: int) -> None:
        """Record that a LIST or a watch of the kind was answered with HTTP 403 or 404."""
        problem = problem_of_kind(plural, status)
        if self._problems.get(plural) != problem:
            self._problems[plural] = problem
            log.error("objects of a kind have no effect on the operator", extra={"kind": plural, "reason": problem})

    def record_watch(self, plural: str) -> None:
        """Record that the API server has accepted a watch of the kind."""
        if self._problems.pop(plural, None) is not None:
            log.info("objects of a kind take effect again", extra={"kind": plural})
