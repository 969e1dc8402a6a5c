"""The sums that the jobs of a namespace declare, counted from the oldest job, and the jobs that exceed a bound.

The result depends on what the jobs declare and when they were created, and on nothing else: not on the order of
changes, and not on a restart of the operator. A job that exceeds a bound is not counted, so it takes nothing from newer
jobs.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

import msgspec

from .merged_policy import Bound, BoundName, Bounds

_OLDER_JOBS_SHOWN: Final = 3


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What a job declares. `writes_per_day` is None if it has no daily budget."""

    symbols: int
    writes_per_second: int
    writes_per_day: int | None = None


class QuotaExcess(msgspec.Struct, frozen=True, kw_only=True):
    """The bound that a job exceeds together with the older jobs of its namespace.

    `own` is what the job declares; None if it does not declare what the bound counts. `counted` is the sum of the older
    jobs, of which there are `older_count`. `older_places` has the first of them.
    """

    name: BoundName
    bound: Bound
    own: int | None
    counted: int
    older_count: int
    older_places: tuple[str, ...]


class NamespaceQuota:
    """Counts the jobs of one namespace. A job is identified by its place in the order of creation, which is a text.

    A change of a job that fits, or of the newest job, costs one addition. Only if the change may affect newer jobs
    which exceed a bound, or makes newer jobs exceed one, the jobs of this namespace are added up again.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._demands: dict[str, Demand] = {}
        self._places: list[str] = []  # in the order of creation
        self._counted: list[str] = []  # those of the jobs that exceed no bound, in the order of creation
        self._sums: dict[BoundName, int] = dict.fromkeys(bounds, 0)  # of the jobs that exceed no bound
        self._excesses: dict[str, QuotaExcess] = {}

    def excess(self, place: str) -> QuotaExcess | None:
        """Return the bound that the job exceeds; None if it exceeds none."""
        return self._excesses.get(place)

    def places_with_excess(self) -> list[str]:
        """Return the places of the jobs that exceed a bound."""
        return list(self._excesses)

    def replace_demand(self, place: str, demand: Demand | None) -> list[str]:
        """Replace what a job declares; None removes the job.

        Return the places of the other jobs that now exceed a bound, or do not any more, in the order of creation.
        """
        if not self._bounds or self._demands.get(place) == demand:
            return []
        self._remove(place)
        if demand is not None:
            self._insert(place, demand)
        if self._has_newer_excess(place) or (place in self._excesses and place != self._places[-1]):
            return [each for each in self._recount() if each != place]
        return []

    def _remove(self, place: str) -> None:
        demand = self._demands.pop(place, None)
        if demand is None:
            return
        del self._places[bisect_left(self._places, place)]
        if self._excesses.pop(place, None) is None:
            del self._counted[bisect_left(self._counted, place)]
            self._add(demand, -1)

    def _insert(self, place: str, demand: Demand) -> None:
        self._demands[place] = demand
        insort(self._places, place)
        self._count(place, demand)

    def _count(self, place: str, demand: Demand) -> None:
        """Count the job, or record which bound it exceeds together with the jobs that are counted so far."""
        for name, bound in self._bounds.items():
            own: int | None = getattr(demand, name)
            if own is None or self._sums[name] + own > bound.value:
                older_count = bisect_left(self._counted, place)
                self._excesses[place] = QuotaExcess(
                    name=name,
                    bound=bound,
                    own=own,
                    counted=self._sums[name],
                    older_count=older_count,
                    older_places=tuple(self._counted[: min(older_count, _OLDER_JOBS_SHOWN)]),
                )
                return
        insort(self._counted, place)
        self._add(demand, 1)

    def _add(self, demand: Demand, sign: int) -> None:
        for name in self._sums:
            self._sums[name] += sign * (getattr(demand, name) or 0)

    def _has_newer_excess(self, place: str) -> bool:
        is_newest = not self._places or self._places[-1] <= place
        return not is_newest and any(each > place for each in self._excesses)

    def _recount(self) -> list[str]:
        """Add up all jobs from the oldest on. Return the places of the jobs whose result has changed."""
        before, self._excesses = self._excesses, {}
        self._counted, self._sums = [], dict.fromkeys(self._bounds, 0)
        for place in self._places:
            self._count(place, self._demands[place])
        return [each for each in self._places if (each in before) != (each in self._excesses)]
