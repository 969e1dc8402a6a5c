"""The sums that the jobs of a namespace declare, and the jobs that exceed a bound."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_operator.domain.merged_policy import Bound, Bounds
from sluice_operator.domain.namespace_quota import Demand, NamespaceQuota

BOUNDS: Bounds = {"symbols": Bound(100, "tenants"), "writes_per_second": Bound(50, "rates")}


def demand(symbols: int, writes_per_second: int = 1) -> Demand:
    return Demand(symbols=symbols, writes_per_second=writes_per_second)


def quota_of(**symbols: int) -> NamespaceQuota:
    """Return a quota with jobs that declare these numbers of symbols. Their places are their names."""
    quota = NamespaceQuota(BOUNDS)
    for place, count in symbols.items():
        quota.replace_demand(place, demand(count))
    return quota


def places_with_excess(quota: NamespaceQuota) -> set[str]:
    return set(quota.places_with_excess())


def test_the_newest_job_that_does_not_fit_is_denied_and_names_the_older_ones() -> None:
    quota = quota_of(a=60, b=30, c=20)
    excess = quota.excess("c")
    assert excess is not None
    assert (excess.name, excess.bound, excess.own, excess.counted) == ("symbols", Bound(100, "tenants"), 20, 90)
    assert (excess.older_count, excess.older_places) == (2, ("a", "b"))
    assert places_with_excess(quota) == {"c"}


def test_a_job_that_exceeds_a_bound_takes_nothing_from_a_newer_one() -> None:
    assert places_with_excess(quota_of(a=60, b=90, c=40)) == {"b"}


def test_a_larger_older_job_makes_the_newest_exceed_the_bound() -> None:
    quota = quota_of(a=30, b=30, c=30)
    assert quota.replace_demand("a", demand(60)) == ["c"]
    assert places_with_excess(quota) == {"c"}


def test_a_smaller_or_deleted_job_makes_room_for_those_that_exceeded_the_bound() -> None:
    quota = quota_of(a=60, b=50, c=50)
    assert places_with_excess(quota) == {"b", "c"}
    assert quota.replace_demand("a", demand(50)) == ["b"]
    assert quota.replace_demand("a", None) == ["c"]
    assert places_with_excess(quota) == set()


def test_a_job_that_does_not_declare_what_is_counted_exceeds_the_bound() -> None:
    bounds: Bounds = {"writes_per_day": Bound(100_000, "days")}
    quota = NamespaceQuota(bounds)
    quota.replace_demand("a", Demand(symbols=1, writes_per_second=1))
    quota.replace_demand("b", Demand(symbols=1, writes_per_second=1, writes_per_day=100_000))
    excess = quota.excess("a")
    assert excess is not None
    assert (excess.own, excess.counted) == (None, 0)
    assert places_with_excess(quota) == {"a"}


def test_any_bound_can_be_the_exceeded_one() -> None:
    quota = NamespaceQuota(BOUNDS)
    quota.replace_demand("a", demand(1, 40))
    quota.replace_demand("b", demand(1, 20))
    excess = quota.excess("b")
    assert excess is not None
    assert (excess.name, excess.bound.policy) == ("writes_per_second", "rates")


def test_without_bounds_nothing_is_counted() -> None:
    quota = NamespaceQuota({})
    assert quota.replace_demand("a", demand(10**6)) == []
    assert quota.excess("a") is None


DEMANDS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2),
    st.builds(Demand, symbols=st.integers(1, 80), writes_per_second=st.integers(1, 30)),
    max_size=8,
)


@given(DEMANDS, DEMANDS, st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_the_order_of_changes(
    wanted: dict[str, Demand], earlier: dict[str, Demand], order: random.Random
) -> None:
    """Jobs with other demands come first, in any order; the result is that of the oldest job first."""
    fresh, changed = NamespaceQuota(BOUNDS), NamespaceQuota(BOUNDS)
    for place in sorted(wanted):
        fresh.replace_demand(place, wanted[place])
    for place, first in earlier.items():
        changed.replace_demand(place, first)
    places = [*wanted, *(earlier.keys() - wanted.keys())]
    order.shuffle(places)
    for place in places:
        before = places_with_excess(changed)
        others = changed.replace_demand(place, wanted.get(place))
        assert set(others) == (before ^ places_with_excess(changed)) - {place}
        assert others == sorted(others)
    assert {place: fresh.excess(place) for place in wanted} == {place: changed.excess(place) for place in wanted}


@pytest.mark.parametrize("jobs", [10, 10_000])
def test_a_change_that_fits_walks_over_no_other_job(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: Bounds = {"symbols": Bound(10**9, "tenants")}
    quota = NamespaceQuota(bounds)
    for number in range(jobs):
        quota.replace_demand(f"{number:05}", demand(1))
    walks = 0

    def count_walk(_: NamespaceQuota) -> list[str]:
        nonlocal walks
        walks += 1
        return []

    monkeypatch.setattr(NamespaceQuota, "_recount", count_walk)
    for place in ("00000", f"{jobs // 2:05}", f"{jobs:05}"):
        quota.replace_demand(place, demand(7))
    assert walks == 0


class CountedPlace(str):
    """A place that counts the comparisons with others."""

    __slots__ = ()
    comparisons = 0

    def __lt__(self, other: str) -> bool:
        CountedPlace.comparisons += 1
        return super().__lt__(other)


def test_jobs_that_exceed_a_bound_are_not_compared_with_each_other() -> None:
    """A namespace may have thousands of jobs without the field that a new policy counts."""
    jobs = 2_000
    quota = NamespaceQuota({"writes_per_day": Bound(100_000, "days")})
    CountedPlace.comparisons = 0
    for number in range(jobs):
        quota.replace_demand(CountedPlace(f"{number:05}"), demand(1))
    quota.replace_demand(CountedPlace("00000"), None)
    assert len(quota.places_with_excess()) == jobs - 1
    assert CountedPlace.comparisons < 20 * jobs
