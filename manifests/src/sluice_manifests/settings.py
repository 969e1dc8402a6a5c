"""The values of the chart: their names, their bounds, and the field of an object that each sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice_contract.providers import DEFAULT_HOST_ENTRIES
from sluice_manifests.image_names import image_repository
from sluice_manifests.objects import Keys
from sluice_manifests.template_inserts import (
    OptionalBlock,
    OptionalText,
    OptionalVariable,
    RequiredExpression,
    TemplateInsert,
)
from sluice_manifests.value_schemas import (
    CLASS_NAME,
    DIGEST,
    EMULATOR_PATTERN,
    LABELS,
    NAME,
    OBJECT,
    OBJECTS,
    PROJECT,
    PROXY,
    QUANTITIES,
    REPOSITORY,
    SECONDS,
    SHARE,
    TAG,
    TEXT,
    TEXT_LIST,
    TEXTS,
    Schema,
)

POD: Keys = ("spec", "template", "spec")
CONTAINER: Keys = (*POD, "containers", "operator")
ENV: Keys = (*CONTAINER, "env")


@dataclass(frozen=True)
class ChartSetting:
    """A value of the chart. Its default is the value at `path` in manifests/base, so it is defined only once."""

    name: str  # dotted, relative to .Values
    description: str
    schema: Schema
    empty: Any  # the default if the base has no value at `path`
    path: Keys = ()
    insert: TemplateInsert | None = None
    kind: str = "Deployment"
    default_from_base: Callable[[Any], Any] = lambda found: found  # converts the value in the base
    replaced_fields: tuple[Keys, ...] = ()  # fields of the base that are left out unless the value is empty

    @property
    def is_required(self) -> bool:
        """Whether the value cannot be removed with null, because its key is always written."""
        return isinstance(self.insert, RequiredExpression)


def _image_expression(value_name: str) -> RequiredExpression:
    image = f'include "sluice.image" (dict "image" .Values.{value_name} "version" .Chart.AppVersion)'
    return RequiredExpression(f"{image} | quote")


def _image_settings(value_name: str, description: str, path: Keys) -> tuple[ChartSetting, ...]:
    return (
        ChartSetting(
            f"{value_name}.repository",
            f"{description}, without tag.",
            REPOSITORY,
            "",
            path,
            _image_expression(value_name),
            default_from_base=image_repository,
        ),
        ChartSetting(f"{value_name}.tag", "Its tag. Empty: the version of the chart's application.", TAG, ""),
        ChartSetting(f"{value_name}.digest", "Its digest, sha256:... It replaces the tag.", DIGEST, ""),
    )


def _variable_path_and_insert(name: str, value_name: str, joined: bool = False) -> dict[str, Any]:
    """Return the arguments `path` and `insert` of a setting that is an environment variable of the operator."""
    return {"path": (*ENV, name), "insert": OptionalVariable(name, value_name, joined)}


SETTINGS: tuple[ChartSetting, ...] = (
    *_image_settings("image", "The operator's image", (*CONTAINER, "image")),
    ChartSetting(
        "image.pullPolicy",
        "When a node pulls the operator's image. Empty: Kubernetes' own default.",
        {"enum": ["", "Always", "IfNotPresent", "Never"]},
        "",
        (*CONTAINER, "imagePullPolicy"),
        OptionalText("image.pullPolicy"),
    ),
    ChartSetting(
        "image.pullSecrets",
        "Secrets of the release's namespace that nodes use to pull the operator's image.",
        {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": NAME}}},
        [],
        (*POD, "imagePullSecrets"),
        OptionalBlock("image.pullSecrets"),
    ),
    *_image_settings("runtimeImage", "The image of the ingest pods", (*ENV, "SLUICE_RUNTIME_IMAGE", "value")),
    ChartSetting(
        "replicas",
        "The number of operator replicas. One leads, the others stand by.",
        {"type": "integer", "minimum": 1, "maximum": 5},
        1,
        ("spec", "replicas"),
        RequiredExpression(".Values.replicas"),
    ),
    ChartSetting(
        "watchNamespaces",
        "The namespaces whose jobs the operator manages. Empty: all. It does not restrict the operator's rights.",
        {"type": "array", "uniqueItems": True, "items": NAME},
        [],
        **_variable_path_and_insert("SLUICE_WATCH_NAMESPACES", "watchNamespaces", joined=True),
    ),
    ChartSetting(
        "defaultFirestoreProject",
        "The Google Cloud project of jobs that name none. Empty: demo-sluice, which is not a real project.",
        PROJECT,
        "",
        **_variable_path_and_insert("SLUICE_FIRESTORE_PROJECT", "defaultFirestoreProject"),
    ),
    ChartSetting(
        "firestoreEmulatorHost",
        "The host:port of a Firestore emulator for all jobs. Empty: the real Firestore.",
        {"type": "string", "pattern": EMULATOR_PATTERN},
        "",
        **_variable_path_and_insert("FIRESTORE_EMULATOR_HOST", "firestoreEmulatorHost"),
    ),
    ChartSetting(
        "podProxy.httpsProxy",
        "The HTTP proxy of the ingest pods, like http://proxy.example:3128. Empty: none. A change replaces each pod.",
        PROXY,
        "",
        **_variable_path_and_insert("SLUICE_POD_HTTPS_PROXY", "podProxy.httpsProxy"),
    ),
    ChartSetting(
        "podProxy.httpProxy",
        "The HTTP proxy for connections without TLS. Empty: none. Alpaca and Firestore use TLS.",
        PROXY,
        "",
        **_variable_path_and_insert("SLUICE_POD_HTTP_PROXY", "podProxy.httpProxy"),
    ),
    ChartSetting(
        "podProxy.noProxy",
        "Domains, addresses and networks that the ingest pods reach without the proxy, separated by commas.",
        TEXT,
        "",
        **_variable_path_and_insert("SLUICE_POD_NO_PROXY", "podProxy.noProxy"),
    ),
    ChartSetting(
        "providerHosts",
        f"The servers that may get the credentials of jobs. Empty: {', '.join(DEFAULT_HOST_ENTRIES)}. "
        "See docs/security.md.",
        TEXT_LIST,
        [],
        **_variable_path_and_insert("SLUICE_PROVIDER_HOSTS", "providerHosts", joined=True),
    ),
    ChartSetting(
        "podBounds.priorityClasses",
        "The PriorityClasses that jobs may name. Empty: only ingestPriorityClassName.",
        TEXT_LIST,
        [],
        **_variable_path_and_insert("SLUICE_POD_PRIORITY_CLASSES", "podBounds.priorityClasses", joined=True),
    ),
    ChartSetting(
        "podBounds.metadataDomains",
        "The domains of labels and annotations that jobs may set. Empty: prometheus.io and "
        "cluster-autoscaler.kubernetes.io.",
        TEXT_LIST,
        [],
        **_variable_path_and_insert("SLUICE_POD_METADATA_DOMAINS", "podBounds.metadataDomains", joined=True),
    ),
    ChartSetting(
        "podBounds.nodeKeyDomains",
        "The domains of node labels and taints that jobs may use. Empty: all but node-role.kubernetes.io and "
        "node.kubernetes.io.",
        TEXT_LIST,
        [],
        **_variable_path_and_insert("SLUICE_POD_NODE_KEY_DOMAINS", "podBounds.nodeKeyDomains", joined=True),
    ),
    ChartSetting(
        "podUserID",
        "The user and groups of operator and pods. Empty: 65532. platform: the platform chooses them, as on OpenShift.",
        {"enum": ["", "platform"]},
        "",
        **_variable_path_and_insert("SLUICE_POD_USER_ID", "podUserID"),
        replaced_fields=((*POD, "securityContext", "runAsUser"), (*POD, "securityContext", "runAsGroup")),
    ),
    ChartSetting(
        "rollout.maxUnavailable",
        "How many jobs a rollout of another image or setting interrupts at a time: a number or a percentage. Empty: "
        "10%.",
        SHARE,
        "",
        **_variable_path_and_insert("SLUICE_ROLLOUT_MAX_UNAVAILABLE", "rollout.maxUnavailable"),
    ),
    ChartSetting(
        "rollout.progressDeadlineSeconds",
        "The seconds in which a job has to be ready again after its pod was replaced. Empty: 300.",
        SECONDS,
        "",
        **_variable_path_and_insert("SLUICE_ROLLOUT_DEADLINE_SECONDS", "rollout.progressDeadlineSeconds"),
    ),
    ChartSetting(
        "requirePolicies",
        "Create pods only while dry runs prove that the admission policies limit the operator's account.",
        {"type": "boolean"},
        True,
        (*ENV, "SLUICE_REQUIRE_POLICIES", "value"),
        RequiredExpression(".Values.requirePolicies | quote"),
        default_from_base=lambda found: found == "true",
    ),
    ChartSetting(
        "logLevel",
        "The operator's log level. Empty: INFO.",
        {"enum": ["", "DEBUG", "INFO", "WARNING", "ERROR"]},
        "",
        **_variable_path_and_insert("SLUICE_LOG_LEVEL", "logLevel"),
    ),
    ChartSetting(
        "serviceAccount.annotations",
        "Annotations of the operator's service account. The operator calls no Google API; pods use another account.",
        TEXTS,
        {},
        ("metadata", "annotations"),
        OptionalBlock("serviceAccount.annotations"),
        kind="ServiceAccount",
    ),
    ChartSetting(
        "resources",
        "The operator's resources.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {"requests": QUANTITIES, "limits": QUANTITIES},
        },
        {},
        (*CONTAINER, "resources"),
        OptionalBlock("resources"),
    ),
    ChartSetting(
        "nodeSelector",
        "Labels of the nodes that the operator may run on.",
        LABELS,
        {},
        (*POD, "nodeSelector"),
        OptionalBlock("nodeSelector"),
    ),
    ChartSetting(
        "tolerations",
        "Taints that the operator tolerates.",
        OBJECTS,
        [],
        (*POD, "tolerations"),
        OptionalBlock("tolerations"),
    ),
    ChartSetting(
        "affinity", "The nodes that the replicas prefer.", OBJECT, {}, (*POD, "affinity"), OptionalBlock("affinity")
    ),
    ChartSetting(
        "topologySpreadConstraints",
        "The spread of the replicas over nodes and zones.",
        OBJECTS,
        [],
        (*POD, "topologySpreadConstraints"),
        OptionalBlock("topologySpreadConstraints"),
    ),
    ChartSetting(
        "priorityClassName",
        "The operator's priority class. Empty: none.",
        CLASS_NAME,
        "",
        (*POD, "priorityClassName"),
        OptionalText("priorityClassName"),
    ),
    ChartSetting(
        "ingestPriorityClassName",
        "The ingest pods' priority class. Empty: none. A change replaces each ingest pod.",
        CLASS_NAME,
        "",
        **_variable_path_and_insert("SLUICE_INGEST_PRIORITY_CLASS", "ingestPriorityClassName"),
    ),
)
