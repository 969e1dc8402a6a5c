"""The block of a job that is about its pod: where it runs, and with what."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .values import ObjectName, SecretReference

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
QUALIFIED_NAME = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
# Those that the operator gives its pods itself.
RESERVED_DOMAINS = ("sluice.dev", "app.kubernetes.io")

Key = Annotated[str, Meta(pattern=QUALIFIED_NAME, max_length=317)]
LabelValue = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
Quantity = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$", max_length=20)]

# What a pod reads from its environment, beside what the operator says there.
Variable = Literal["INGEST_ENABLED", "LOG_LEVEL", "LOG_QUOTES", "RECONNECT_BACKOFF_BASE_S", "RECONNECT_BACKOFF_MAX_S"]


class Quantities(CamelStruct, frozen=True):
    """How much of each resource."""

    cpu: Annotated[Quantity | None, Meta(description="Cores, or thousandths of them with m: 250m.")] = None
    memory: Annotated[Quantity | None, Meta(description="Bytes, with a unit: 128Mi.")] = None


class Resources(CamelStruct, frozen=True):
    """What a pod is sure to get, and the most it may take."""

    requests: Annotated[Quantities | None, Meta(description="What it is sure to get; the scheduler goes by it.")] = None
    limits: Annotated[
        Quantities | None,
        Meta(description="The most it may take. A limit of CPU delays quotes; beyond that of memory it is restarted."),
    ] = None


class Toleration(CamelStruct, frozen=True):
    """A taint of nodes that the pod tolerates."""

    key: Annotated[Key | None, Meta(description="The taint's key. Absent: any, with operator Exists.")] = None
    operator: Annotated[
        Literal["Exists", "Equal"], Meta(description="Whether the taint's value is compared with value.")
    ] = "Equal"
    value: Annotated[LabelValue, Meta(description="The taint's value, with operator Equal.")] = ""
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        Meta(description="The taint's effect. Absent: any."),
    ] = None
    toleration_seconds: (
        Annotated[int, Meta(ge=0, le=86_400, description="With effect NoExecute: how long it stays. Absent: for ever.")]
        | None
    ) = None


# What the text of a switch may be, in any case. Nothing at all is the default.
SWITCHED_ON = ("", "1", "true", "on", "yes", "enabled")
SWITCHED_OFF = ("0", "false", "off", "no", "disabled")


class EnvironmentVariable(CamelStruct, frozen=True):
    """One of the variables that a pod reads."""

    name: Annotated[Variable, Meta(description="Its name, as in docs/runtime.md.")]
    value: Annotated[str, Meta(max_length=256, description="Its value.")]


class Pod(CamelStruct, frozen=True):
    """Where the pod runs, and with what. Its image and its account are the operator's."""

    resources: Annotated[
        Resources | None,
        Meta(
            description="In place of the operator's own: 50m CPU and 96Mi of memory requested, at most 192Mi of memory."
        ),
    ] = None
    node_selector: Annotated[
        dict[Key, LabelValue], Meta(max_length=20, description="The labels that its node must have.")
    ] = {}  # noqa: RUF012  msgspec copies an empty default
    tolerations: Annotated[
        list[Toleration], Meta(max_length=20, description="The taints of nodes that it tolerates.")
    ] = []  # noqa: RUF012
    priority_class_name: Annotated[
        ObjectName | None,
        Meta(description="Its PriorityClass, in place of the operator's own. A ResourceQuota may bound its use."),
    ] = None
    image_pull_secrets: Annotated[
        list[SecretReference],
        Meta(max_length=5, description="The Secrets with which its image is pulled."),
    ] = []  # noqa: RUF012
    env: Annotated[
        list[EnvironmentVariable],
        Meta(max_length=5, description="Variables that the pod reads beside its job."),
    ] = []  # noqa: RUF012
    labels: Annotated[dict[Key, LabelValue], Meta(max_length=20, description="More labels of the pod.")] = {}  # noqa: RUF012
    annotations: Annotated[
        dict[Key, Annotated[str, Meta(max_length=1024)]],
        Meta(max_length=20, description="More annotations of the pod."),
    ] = {}  # noqa: RUF012
