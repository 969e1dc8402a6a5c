"""The kinds IngestPause and ClusterIngestPause: a pause of jobs as an object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from .base import CamelStruct
from .identity import MAX_JOB_NAME_LENGTH
from .label_selector import ATOMIC_MAP, LabelSelector
from .provider_feeds import ProviderFeeds
from .resource import ObjectMeta
from .status import Condition
from .status_values import Count
from .values import REASON_CHARACTERS, Author, Symbol, Until

_JOB_NAME: Final = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_JOB_NAME_RULE: Final = {
    "rule": f"self.matches(r'{_JOB_NAME}')",
    "message": "this cannot be the name of a job: write it as kubectl get ij shows it, in lower case",
}

JobName = Annotated[
    str,
    Meta(
        pattern=_JOB_NAME,
        max_length=MAX_JOB_NAME_LENGTH,
        description="The name of a job.",
        extra_json_schema={"x-kubernetes-validations": [_JOB_NAME_RULE]},
    ),
]
PausedSymbols = Annotated[
    list[Symbol],
    Meta(
        min_length=1,
        max_length=200,
        description="Pauses only these symbols, in each job that has them. Absent: the whole job. Write "
        '"ON" in quotation marks: YAML reads ON as a boolean.',
    ),
]
GivenReason = Annotated[
    str,
    Meta(min_length=1, max_length=REASON_CHARACTERS, description="The reason for the pause, as text for people."),
]
GivenAuthor = Annotated[
    Author,
    Meta(
        min_length=1,
        description="Who wrote the spec last. Absent: not stated. The only value that you can write is your own user "
        "name, as kubectl auth whoami shows it.",
    ),
]


class IngestPauseSpec(CamelStruct, frozen=True, kw_only=True):
    """The jobs to pause, by name or by label, and the reason."""

    jobs: (
        Annotated[
            list[JobName],
            Meta(
                min_length=1,
                max_length=100,
                description="The jobs to pause, by name. A job that is created later is paused too.",
            ),
        ]
        | None
    ) = None
    job_selector: Annotated[
        LabelSelector | None,
        Meta(
            description="The jobs to pause, by their labels. {} selects every job of the namespace.",
            extra_json_schema=ATOMIC_MAP,
        ),
    ] = None
    symbols: PausedSymbols | None = None
    reason: GivenReason
    until: Until | None = None
    by: GivenAuthor | None = None

    def covers_job(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether the pause names or selects a job of its namespace. The time is not considered.

        Without both `jobs` and `job_selector`, which the schema refuses, the pause covers every job.
        """
        if self.jobs is None and self.job_selector is None:
            return True
        is_named = self.jobs is not None and name in self.jobs
        return is_named or (self.job_selector is not None and self.job_selector.matches(labels))


class ClusterIngestPauseSpec(CamelStruct, frozen=True, kw_only=True):
    """The providers whose jobs are paused in all namespaces, and the reason."""

    providers: Annotated[
        Annotated[list[ProviderFeeds], Meta(min_length=1, max_length=16)] | None,
        Meta(description="Pauses only the jobs of these providers. Absent: every job."),
    ] = None
    symbols: PausedSymbols | None = None
    reason: GivenReason
    until: Until | None = None
    by: GivenAuthor | None = None

    def covers_feed(self, provider: str, feed: str | None) -> bool:
        """Return whether the pause covers jobs with this provider and feed. The time is not considered.

        `feed` is None if the provider has no feeds.
        """
        return self.providers is None or any(each.covers_feed(provider, feed) for each in self.providers)


Acknowledged = Annotated[
    str,
    Meta(
        max_length=24,
        description="How many of the jobs concerned have acknowledged the pause, such as 11/12 (column ACKNOWLEDGED).",
    ),
]
_OBSERVED_GENERATION: Final = Meta(description="The generation of the pause that the operator has processed.")
_CONDITIONS: Final = Meta(description="The conditions of the pause.", max_length=8)


class PauseStatus(CamelStruct, frozen=True):
    """The effect of the pause, as the operator reports it. The pods obey a pause without the operator."""

    observed_generation: Annotated[Count | None, _OBSERVED_GENERATION] = None
    acknowledged: Acknowledged | None = None
    waiting_for: Annotated[
        list[Annotated[str, Meta(max_length=63)]],
        Meta(max_length=20, description="The first 20 jobs that have not acknowledged the pause."),
    ] = []  # noqa: RUF012  msgspec copies an empty default
    conditions: Annotated[list[Condition], _CONDITIONS] = []  # noqa: RUF012


class ClusterPauseStatus(CamelStruct, frozen=True):
    """The effect of the pause, as the operator reports it. It names no job, because every tenant can read it."""

    observed_generation: Annotated[Count | None, _OBSERVED_GENERATION] = None
    acknowledged: Acknowledged | None = None
    conditions: Annotated[list[Condition], _CONDITIONS] = []  # noqa: RUF012


class IngestPause(CamelStruct, frozen=True):
    """A pause of jobs of its namespace, until it ends or is deleted. It changes no job, so no tool undoes it."""

    metadata: ObjectMeta
    spec: IngestPauseSpec
    status: PauseStatus = PauseStatus()


class ClusterIngestPause(CamelStruct, frozen=True):
    """A pause of jobs in all namespaces, until it ends or is deleted. Every tenant can read it."""

    metadata: ObjectMeta
    spec: ClusterIngestPauseSpec
    status: ClusterPauseStatus = ClusterPauseStatus()
