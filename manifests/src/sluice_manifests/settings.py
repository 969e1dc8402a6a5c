"""The values of the chart: their names, their bounds, and the field of an object that each sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    TAG,
    TEXT,
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


@dataclass(frozen=True)
class ChartSwitch:
    """A value of the chart that includes or leaves out all objects of some kinds."""

    name: str
    description: str
    kinds: tuple[str, ...]


def image_repository(image: str) -> str:
    """Return the name of an image without tag and digest. A colon before a slash belongs to the port.

    >>> image_repository("host:5000/sluice-operator:0.1.0")
    'host:5000/sluice-operator'
    """
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def image_tag(image: str) -> str:
    """Return the tag of an image; empty if it has none.

    >>> image_tag("host:5000/sluice-operator:0.1.0")
    '0.1.0'
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


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
        "podUserID",
        "The user and groups of operator and pods. Empty: 65532. platform: the platform chooses them, as on OpenShift.",
        {"enum": ["", "platform"]},
        "",
        **_variable_path_and_insert("SLUICE_POD_USER_ID", "podUserID"),
        replaced_fields=((*POD, "securityContext", "runAsUser"), (*POD, "securityContext", "runAsGroup")),
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

SWITCHES: tuple[ChartSwitch, ...] = (
    ChartSwitch(
        "crds.install",
        "The CRD of IngestJob. When you uninstall the chart, Helm keeps the CRD and the jobs.",
        ("CustomResourceDefinition",),
    ),
    ChartSwitch(
        "networkPolicies.enabled",
        "Network policies: the connections that the operator may accept and open.",
        ("NetworkPolicy",),
    ),
    ChartSwitch(
        "admissionPolicies.enabled",
        "Admission policies: they restrict a tenant to its namespaces, and a pod to its own job.",
        (
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ),
    ),
    ChartSwitch(
        "podDisruptionBudget.enabled",
        "Keeps one operator running during evictions. With one replica it blocks every drain.",
        ("PodDisruptionBudget",),
    ),
    ChartSwitch(
        "priorityClasses.enabled",
        "The priority classes of operator and pods. Without them, name others in the two values above.",
        ("PriorityClass",),
    ),
    ChartSwitch(
        "flowControl.enabled",
        "Reserves a share of the API server's requests for the operator.",
        ("FlowSchema", "PriorityLevelConfiguration"),
    ),
)
