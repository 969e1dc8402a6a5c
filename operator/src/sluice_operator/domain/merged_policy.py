"""The IngestPolicies that apply together to a namespace. All of them hold, so their order makes no difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

import msgspec

from sluice_contract.policies import IngestPolicy, JobBounds, NamespaceBounds

BoundName = Literal["symbols", "writes_per_second", "writes_per_day"]
BOUND_NAMES: Final[tuple[BoundName, ...]] = get_args(BoundName)


class Bound(msgspec.Struct, frozen=True, order=True):
    """The smallest value of a bound, and the name of the policy that sets it: of several, the first by name."""

    value: int
    policy: str


Bounds = Mapping[BoundName, Bound]


class MergedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Several policies as one. A provider, feed or host is allowed if each of `policies` allows it.

    `job_bounds` and `namespace_bounds` have the smallest value of each bound. A bound that no policy sets is absent.
    """

    policies: tuple[IngestPolicy, ...]  # in the order of their names
    dry_run_policy: str = ""  # the first policy by name that forces a dry run; empty: none does
    job_bounds: Bounds = {}
    namespace_bounds: Bounds = {}
    message: str = ""  # the messages of the policies, in the order of their names


def merge_policies(policies: Iterable[IngestPolicy]) -> MergedPolicy:
    """Return the policies as one, in which every bound of each of them holds."""
    ordered = tuple(sorted(policies, key=lambda each: each.metadata.name))
    dry = (each.metadata.name for each in ordered if each.spec.dry_run)
    messages = dict.fromkeys(each.spec.message for each in ordered if each.spec.message)
    return MergedPolicy(
        policies=ordered,
        dry_run_policy=next(dry, ""),
        job_bounds=_smallest_bounds((each.metadata.name, each.spec.per_job) for each in ordered),
        namespace_bounds=_smallest_bounds((each.metadata.name, each.spec.per_namespace) for each in ordered),
        message=" ".join(messages),
    )


def _smallest_bounds(declared: Iterable[tuple[str, JobBounds | NamespaceBounds | None]]) -> Bounds:
    found: dict[BoundName, Bound] = {}
    for policy, bounds in declared:
        for name in BOUND_NAMES:
            value: int | None = getattr(bounds, name, None)
            if value is not None:
                bound = Bound(value, policy)
                found[name] = min(found.get(name, bound), bound)
    return found
