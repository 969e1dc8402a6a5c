"""The kind IngestPolicy: the bounds that the platform sets for the jobs of some namespaces."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from .base import CamelStruct
from .label_selector import ATOMIC_MAP, LabelSelector
from .limits import LARGEST_DAILY_BUDGET, SMALLEST_DAILY_BUDGET
from .provider_feeds import ProviderFeeds
from .resource import ObjectMeta
from .status import Condition
from .status_values import Count

PolicyMode = Literal["Enforce", "Warn"]

_HOST: Final = r"^(\*\.)?[A-Za-z0-9:]([-A-Za-z0-9.:]*[A-Za-z0-9])?$"
_AT_LEAST_ONE: Final = {"minProperties": 1}

HostPattern = Annotated[
    str,
    Meta(
        pattern=_HOST,
        max_length=253,
        extra_json_schema={
            "x-kubernetes-validations": [
                {
                    "rule": f"self.matches(r'{_HOST}')",
                    "message": "write a host name, an IP address, or *. and a domain, without a port",
                }
            ]
        },
    ),
]


class JobBounds(CamelStruct, frozen=True):
    """The bounds of each single job."""

    symbols: Annotated[
        Annotated[int, Meta(ge=1, le=2000)] | None,
        Meta(description="The most symbols of a job. A job with more is denied. Absent: no bound."),
    ] = None
    writes_per_second: Annotated[
        Annotated[int, Meta(ge=1, le=500)] | None,
        Meta(
            description="The most quote writes per second of a job. A job with a larger limits.writesPerSecond writes "
            "at this rate. Absent: no bound."
        ),
    ] = None
    writes_per_day: Annotated[
        Annotated[int, Meta(ge=SMALLEST_DAILY_BUDGET, le=LARGEST_DAILY_BUDGET)] | None,
        Meta(
            description="The most writes per day of a job. A job with a larger limits.writesPerDay, or without one, "
            "has this budget. Absent: no bound."
        ),
    ] = None


class NamespaceBounds(CamelStruct, frozen=True):
    """The bounds of all jobs of a namespace together, counted from the oldest job, and paused jobs included."""

    symbols: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(description="The most symbols of all jobs together. Absent: no bound."),
    ] = None
    writes_per_second: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)] | None,
        Meta(description="The largest sum of limits.writesPerSecond. Absent: no bound."),
    ] = None
    writes_per_day: Annotated[
        Annotated[int, Meta(ge=SMALLEST_DAILY_BUDGET, le=100_000_000_000)] | None,
        Meta(
            description="The largest sum of limits.writesPerDay. Each job must then declare it. Absent: no bound.",
        ),
    ] = None


class IngestPolicySpec(CamelStruct, frozen=True):
    """The namespaces that the policy applies to, and its bounds for the jobs in them."""

    namespace_selector: Annotated[
        LabelSelector,
        Meta(
            description="The namespaces that the policy applies to, by their labels, among those with the label "
            "sluice.dev/tenant. {} selects all of these.",
            extra_json_schema=ATOMIC_MAP,
        ),
    ]
    mode: Annotated[
        PolicyMode,
        Meta(
            description="Enforce: the bounds apply. Warn: the status of the policy and of the jobs shows what Enforce "
            "would do, without any other effect. Default: Enforce."
        ),
    ] = "Enforce"
    message: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        Meta(description="A text that is added to each denial, such as whom to ask for a larger quota."),
    ] = None
    dry_run: Annotated[
        bool, Meta(description="true: no job writes quotes, whatever its spec.dryRun says. Default: false.")
    ] = False
    providers: Annotated[
        Annotated[list[ProviderFeeds], Meta(max_length=16)] | None,
        Meta(description="The providers and feeds that jobs may use. Absent: all of them. Empty: none."),
    ] = None
    hosts: Annotated[
        Annotated[list[HostPattern], Meta(max_length=64)] | None,
        Meta(
            description="The hosts that jobs may connect to, without a port; *. and a domain stands for every host "
            "below it. Absent: those of the operator's settings. Empty: none."
        ),
    ] = None
    per_job: Annotated[
        JobBounds | None,
        Meta(description="The bounds of each single job. Absent: none.", extra_json_schema=_AT_LEAST_ONE),
    ] = None
    per_namespace: Annotated[
        NamespaceBounds | None,
        Meta(
            description="The bounds of all jobs of a namespace together. Jobs are counted from the oldest, including "
            "paused ones; the job that exceeds a bound is denied. Absent: none.",
            extra_json_schema=_AT_LEAST_ONE,
        ),
    ] = None


class DeniedJob(CamelStruct, frozen=True):
    """A job that the policy denies."""

    job: Annotated[str, Meta(max_length=120, description="The job, as NAMESPACE/NAME.")]
    message: Annotated[str, Meta(max_length=512, description="The bound that the job exceeds, and its value.")]


class IngestPolicyStatus(CamelStruct, frozen=True):
    """The effect of the policy, as the operator reports it."""

    observed_generation: Annotated[
        Count | None, Meta(description="The generation of the policy that the operator has processed.")
    ] = None
    namespaces: Annotated[Count | None, Meta(description="The number of namespaces that the policy applies to.")] = None
    jobs: Annotated[Count | None, Meta(description="The number of jobs in these namespaces.")] = None
    denied_jobs: Annotated[
        Count | None, Meta(description="The number of jobs that the policy denies, or with mode Warn would deny.")
    ] = None
    denied: Annotated[
        list[DeniedJob],
        Meta(max_length=20, description="The first 20 jobs that the policy denies, or with mode Warn would deny."),
    ] = []  # noqa: RUF012  msgspec copies an empty default
    conditions: Annotated[list[Condition], Meta(description="The conditions of the policy.", max_length=8)] = []  # noqa: RUF012


class IngestPolicy(CamelStruct, frozen=True):
    """Bounds that the platform sets for the jobs of some namespaces.

    If several policies select a namespace, all of them apply: the smallest value of each bound counts.
    """

    metadata: ObjectMeta
    spec: IngestPolicySpec
    status: IngestPolicyStatus = IngestPolicyStatus()
