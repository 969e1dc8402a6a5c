"""The settings of a job's pod."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import CamelStruct
from .values import ObjectName, SecretReference

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
QUALIFIED_NAME = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
# The domains of the labels and annotations that the operator sets.
RESERVED_DOMAINS = ("sluice.dev", "app.kubernetes.io")

Key = Annotated[str, Meta(pattern=QUALIFIED_NAME, max_length=317)]
LabelValue = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
Quantity = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$", max_length=20)]

# The variables that a pod reads from its environment, in addition to those that the operator sets.
Variable = Literal["INGEST_ENABLED", "LOG_LEVEL", "LOG_QUOTES", "RECONNECT_BACKOFF_BASE_S", "RECONNECT_BACKOFF_MAX_S"]


class ResourceQuantities(CamelStruct, frozen=True):
    """Amounts of CPU and memory."""

    cpu: Annotated[
        Quantity | None, Meta(description="CPU cores, or thousandths of a core with the suffix m, such as 250m.")
    ] = None
    memory: Annotated[Quantity | None, Meta(description="Memory in bytes, or with a unit, such as 128Mi.")] = None


class PodResources(CamelStruct, frozen=True):
    """The resources that the pod requests, and their limits."""

    requests: Annotated[ResourceQuantities | None, Meta(description="Guaranteed resources; used for scheduling.")] = (
        None
    )
    limits: Annotated[
        ResourceQuantities | None,
        Meta(
            description="Maximum resources. A CPU limit delays quotes; a container that exceeds its memory limit "
            "is restarted."
        ),
    ] = None


class Toleration(CamelStruct, frozen=True):
    """A node taint that the pod tolerates."""

    key: Annotated[
        Key | None, Meta(description="The key of the taint. Absent: any key, which requires operator Exists.")
    ] = None
    operator: Annotated[
        Literal["Exists", "Equal"],
        Meta(description="Equal compares the value of the taint with value; Exists accepts any value. Default: Equal."),
    ] = "Equal"
    value: Annotated[LabelValue, Meta(description="The value of the taint, compared if operator is Equal.")] = ""
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        Meta(description="The effect of the taint. Absent: any effect."),
    ] = None
    toleration_seconds: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=86_400,
                description="The time for which the pod stays on the node, with effect NoExecute. Absent: no limit.",
            ),
        ]
        | None
    ) = None


# The values of a switch, in any letter case. The empty text is the default.
SWITCHED_ON = ("", "1", "true", "on", "yes", "enabled")
SWITCHED_OFF = ("0", "false", "off", "no", "disabled")


class EnvironmentVariable(CamelStruct, frozen=True):
    """An environment variable that the pod reads."""

    name: Annotated[
        Variable,
        Meta(
            description="The name of the variable, as in docs/runtime.md. The variables of a proxy, such as "
            "HTTPS_PROXY, come from the operator's settings."
        ),
    ]
    value: Annotated[str, Meta(max_length=256, description="The value of the variable.")]


class PodOptions(CamelStruct, frozen=True):
    """Settings of the ingest pod. The operator sets its image and its service account."""

    resources: Annotated[
        PodResources | None,
        Meta(
            description="Resource requests and limits. Absent: requests of 50m CPU and 96Mi memory, and a memory "
            "limit of 192Mi."
        ),
    ] = None
    node_selector: Annotated[
        dict[Key, LabelValue],
        Meta(max_length=20, description="The labels that a node must have for the pod to run on it. Absent: any node."),
    ] = {}  # noqa: RUF012  msgspec copies an empty default
    tolerations: Annotated[
        list[Toleration], Meta(max_length=20, description="Node taints that the pod tolerates.")
    ] = []  # noqa: RUF012
    priority_class_name: Annotated[
        ObjectName | None,
        Meta(
            description="The PriorityClass of the pod. Absent: the one in the operator's settings. A "
            "ResourceQuota can limit its use."
        ),
    ] = None
    image_pull_secrets: Annotated[
        list[SecretReference],
        Meta(max_length=5, description="Secrets that hold the credentials for pulling the image."),
    ] = []  # noqa: RUF012
    env: Annotated[
        list[EnvironmentVariable],
        Meta(max_length=5, description="Environment variables for the pod, in addition to its job."),
    ] = []  # noqa: RUF012
    labels: Annotated[dict[Key, LabelValue], Meta(max_length=20, description="Labels to add to the pod.")] = {}  # noqa: RUF012
    annotations: Annotated[
        dict[Key, Annotated[str, Meta(max_length=1024)]],
        Meta(max_length=20, description="Annotations to add to the pod."),
    ] = {}  # noqa: RUF012
