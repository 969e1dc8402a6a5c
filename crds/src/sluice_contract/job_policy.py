"""The part of the status of a job that states how policies apply to it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .status_values import Count


class JobPolicy(CamelStruct, frozen=True):
    """The result of the policies that apply to the job. The operator writes it, and the pod obeys it."""

    names: Annotated[
        list[Annotated[str, Meta(max_length=63)]],
        Meta(max_length=8, description="The names of the first 8 policies that apply to the job."),
    ]
    dry_run: Annotated[bool | None, Meta(description="true: the job writes no quotes, whatever spec.dryRun says.")] = (
        None
    )
    writes_per_second: Annotated[
        Count | None,
        Meta(
            description="The most quote writes per second; the pod uses the smaller one of this and "
            "limits.writesPerSecond. Absent: no bound."
        ),
    ] = None
    writes_per_day: Annotated[
        Count | None,
        Meta(
            description="The most writes per day; the pod uses the smaller one of this and limits.writesPerDay. "
            "Absent: no bound."
        ),
    ] = None
    denied: Annotated[
        Annotated[str, Meta(max_length=512)] | None,
        Meta(description="Why a policy denies the job, so that it has no pod. Absent: it is not denied."),
    ] = None
