"""The part of the status about the replacement of a job's pod by another one."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .status_values import Instant, enum_text_schema

ReplacementCause = Literal["Operator", "Spec"]
StateBeforeReplacement = Literal["Streaming", "Idle", "NotReady"]


class PodReplacement(CamelStruct, frozen=True):
    """A replacement of the job's pod after which the job is not ready again yet.

    The operator counts these records, so that a rollout replaces only a share of the pods at a time. They are part of
    the status so that the count survives a restart of the operator.
    """

    started_at: Annotated[Instant, Meta(description="When the operator decided to replace the pod.")]
    cause: Annotated[
        str,
        enum_text_schema(
            ReplacementCause,
            "Why the pod is replaced. Operator: its image or another setting of the operator has changed. Spec: a cold "
            "field of the job has changed.",
        ),
    ]
    state_before: Annotated[
        str,
        enum_text_schema(
            StateBeforeReplacement,
            "What the job did before. Idle: it was paused, or its market was closed.",
        ),
    ]
