"""The sums that the jobs of a namespace declare, and the job that exceeds a bound together with older ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..fields import texts
from ..job import key_of_job
from .document_claims import PlannedJob
from .policies import (
    SYMBOLS,
    WRITES_PER_DAY,
    WRITES_PER_SECOND,
    Bound,
    MergedPolicy,
    denial_of_single_job,
    effective_limit,
)

_FIELDS = {
    SYMBOLS: "spec.symbols",
    WRITES_PER_SECOND: "spec.limits.writesPerSecond",
    WRITES_PER_DAY: "spec.limits.writesPerDay",
}
_UNITS = {SYMBOLS: "symbols", WRITES_PER_SECOND: "writes per second", WRITES_PER_DAY: "writes per day"}
_OLDER_JOBS_SHOWN = 3


def denials_of_jobs(jobs: Sequence[PlannedJob], merged: MergedPolicy) -> dict[str, str]:
    """Return why policies deny jobs of one namespace, by their names. `jobs` has all of them.

    They are counted from the oldest; a denied job is not counted.
    """
    denials: dict[str, str] = {}
    counted: list[PlannedJob] = []
    sums = dict.fromkeys(merged.namespace_bounds, 0)
    for job in sorted(jobs, key=lambda each: each.place):
        denial = denial_of_single_job(key_of_job(job.document), job.spec, merged)
        demand = _demand(job, merged)
        if not denial:
            denial = _quota_denial(job, demand, sums, counted, merged)
        if denial:
            denials[job.name] = denial
            continue
        counted.append(job)
        for name in sums:
            sums[name] += demand[name] or 0
    return denials


def _demand(job: PlannedJob, merged: MergedPolicy) -> dict[str, int | None]:
    return {
        SYMBOLS: len(texts(job.spec, "symbols")),
        WRITES_PER_SECOND: effective_limit(WRITES_PER_SECOND, job.spec, merged) or 0,
        WRITES_PER_DAY: effective_limit(WRITES_PER_DAY, job.spec, merged),
    }


def _quota_denial(
    job: PlannedJob,
    demand: dict[str, int | None],
    sums: dict[str, int],
    counted: Sequence[PlannedJob],
    merged: MergedPolicy,
) -> str:
    for name, bound in merged.namespace_bounds.items():
        own = demand[name]
        if own is None:
            sentence = (
                f"IngestPolicy {bound.policy} limits the sum of {_UNITS[name]} in namespace {job.namespace} to "
                f"{bound.value}, so each job must declare {_FIELDS[name]}: add it."
            )
        elif sums[name] + own > bound.value:
            sentence = _excess_sentence(job.namespace, _Excess(name, bound, own, sums[name]), counted)
        else:
            continue
        return f"{sentence} {merged.message}".rstrip()
    return ""


class _Excess(NamedTuple):
    """A bound that a job exceeds: what it declares, and the sum of the older jobs."""

    name: str
    bound: Bound
    own: int
    counted: int


def _excess_sentence(namespace: str, excess: _Excess, counted: Sequence[PlannedJob]) -> str:
    name, bound, own, before = excess
    return (
        f"Together with {_older_jobs_text(counted)} of namespace {namespace}, this job would have {before + own} "
        f"{_UNITS[name]}, and IngestPolicy {bound.policy} allows {bound.value}: lower {_FIELDS[name]} from {own} to at "
        f"most {max(0, bound.value - before)}, or lower it in an older job."
    )


def _older_jobs_text(counted: Sequence[PlannedJob]) -> str:
    if not counted:
        return "no other job"
    more = len(counted) - _OLDER_JOBS_SHOWN
    listed = ", ".join(each.name for each in counted[:_OLDER_JOBS_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{len(counted)} older job{'s' if len(counted) > 1 else ''} ({listed})"
