"""What can be set when the chart is installed: names, bounds, and where each value goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice_manifests.inserts import Block, Inline, Insert, Optional, Variable
from sluice_manifests.objects import Keys

Schema = dict[str, Any]
POD: Keys = ("spec", "template", "spec")
CONTAINER: Keys = (*POD, "containers", "operator")
ENV: Keys = (*CONTAINER, "env")


@dataclass(frozen=True)
class Setting:
    """One value. Its default is what the base has at `path`, so that there is one truth."""

    name: str  # dotted, as below .Values
    description: str
    schema: Schema
    empty: Any  # the default where the base says nothing
    path: Keys = ()
    insert: Insert | None = None
    kind: str = "Deployment"
    read: Callable[[Any], Any] = lambda found: found  # from what the base has to the default


@dataclass(frozen=True)
class Switch:
    """Objects that can be left out."""

    name: str
    description: str
    kinds: tuple[str, ...]


TEXT: Schema = {"type": "string"}
DIGEST: Schema = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
TAG: Schema = {"type": "string", "pattern": "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"}
REPOSITORY: Schema = {"type": "string", "minLength": 1, "pattern": "^[^@\\s]*[^@:\\s]$"}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
CLASS_NAME: Schema = {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"}
QUANTITIES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
OBJECT: Schema = {"type": "object"}
OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}


def repository(image: str) -> str:
    """The part of an image's name before tag and digest: a colon before a slash is a port.

    >>> repository("host:5000/sluice-operator:0.1.0")
    'host:5000/sluice-operator'
    """
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def tag(image: str) -> str:
    """An image's tag; empty where it has none.

    >>> tag("host:5000/sluice-operator:0.1.0")
    '0.1.0'
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _image(values: str) -> Inline:
    image = f'include "sluice.image" (dict "image" .Values.{values} "version" .Chart.AppVersion)'
    return Inline(f"{image} | quote")


def _image_settings(values: str, what: str, path: Keys) -> tuple[Setting, ...]:
    return (
        Setting(f"{values}.repository", f"{what}, without tag.", REPOSITORY, "", path, _image(values), read=repository),
        Setting(f"{values}.tag", "Its tag. Empty: the version of the chart's application.", TAG, ""),
        Setting(f"{values}.digest", "Its digest, sha256:... It replaces the tag.", DIGEST, ""),
    )


def _variable(name: str, value: str, joined: bool = False) -> dict[str, Any]:
    return {"path": (*ENV, name), "insert": Variable(name, value, joined)}


SETTINGS: tuple[Setting, ...] = (
    *_image_settings("image", "The operator's image", (*CONTAINER, "image")),
    Setting(
        "image.pullPolicy",
        "When a node pulls the operator's image. Empty: Kubernetes' own default.",
        {"enum": ["", "Always", "IfNotPresent", "Never"]},
        "",
        (*CONTAINER, "imagePullPolicy"),
        Optional("image.pullPolicy"),
    ),
    Setting(
        "image.pullSecrets",
        "Secrets of the release's namespace that nodes use to pull the operator's image.",
        {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": NAME}}},
        [],
        (*POD, "imagePullSecrets"),
        Block("image.pullSecrets"),
    ),
    *_image_settings("runtimeImage", "The image of the ingest pods", (*ENV, "SLUICE_RUNTIME_IMAGE", "value")),
    Setting(
        "replicas",
        "The number of operator replicas. One leads, the others stand by.",
        {"type": "integer", "minimum": 1, "maximum": 5},
        1,
        ("spec", "replicas"),
        Inline(".Values.replicas"),
    ),
    Setting(
        "watchNamespaces",
        "The namespaces whose jobs the operator manages. Empty: all. It does not restrict the operator's rights.",
        {"type": "array", "uniqueItems": True, "items": NAME},
        [],
        **_variable("SLUICE_WATCH_NAMESPACES", "watchNamespaces", joined=True),
    ),
    Setting(
        "defaultFirestoreProject",
        "The Google Cloud project of jobs that name none. Empty: demo-sluice, which is not a real project.",
        {"type": "string", "pattern": "^([a-z][a-z0-9:.-]*[a-z0-9])?$"},
        "",
        **_variable("SLUICE_FIRESTORE_PROJECT", "defaultFirestoreProject"),
    ),
    Setting(
        "firestoreEmulatorHost",
        "The host:port of a Firestore emulator for all jobs. Empty: the real Firestore.",
        {"type": "string", "pattern": "^([^:/\\s]+:[0-9]+)?$"},
        "",
        **_variable("FIRESTORE_EMULATOR_HOST", "firestoreEmulatorHost"),
    ),
    Setting(
        "logLevel",
        "The operator's log level. Empty: INFO.",
        {"enum": ["", "DEBUG", "INFO", "WARNING", "ERROR"]},
        "",
        **_variable("SLUICE_LOG_LEVEL", "logLevel"),
    ),
    Setting(
        "serviceAccount.annotations",
        "Annotations of the operator's service account. The operator calls no Google API; pods use another account.",
        TEXTS,
        {},
        ("metadata", "annotations"),
        Block("serviceAccount.annotations"),
        kind="ServiceAccount",
    ),
    Setting(
        "resources",
        "The operator's resources.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {"requests": QUANTITIES, "limits": QUANTITIES},
        },
        {},
        (*CONTAINER, "resources"),
        Block("resources"),
    ),
    Setting(
        "nodeSelector",
        "Labels of the nodes that the operator may run on.",
        TEXTS,
        {},
        (*POD, "nodeSelector"),
        Block("nodeSelector"),
    ),
    Setting(
        "tolerations", "Taints that the operator tolerates.", OBJECTS, [], (*POD, "tolerations"), Block("tolerations")
    ),
    Setting("affinity", "The nodes that the replicas prefer.", OBJECT, {}, (*POD, "affinity"), Block("affinity")),
    Setting(
        "topologySpreadConstraints",
        "The spread of the replicas over nodes and zones.",
        OBJECTS,
        [],
        (*POD, "topologySpreadConstraints"),
        Block("topologySpreadConstraints"),
    ),
    Setting(
        "priorityClassName",
        "The operator's priority class. Empty: none.",
        CLASS_NAME,
        "",
        (*POD, "priorityClassName"),
        Optional("priorityClassName"),
    ),
    Setting(
        "ingestPriorityClassName",
        "The ingest pods' priority class. Empty: none. A change replaces each ingest pod.",
        CLASS_NAME,
        "",
        **_variable("SLUICE_INGEST_PRIORITY_CLASS", "ingestPriorityClassName"),
    ),
)

SWITCHES: tuple[Switch, ...] = (
    Switch(
        "crds.install",
        "The CRD of IngestJob. When you uninstall the chart, Helm keeps the CRD and the jobs.",
        ("CustomResourceDefinition",),
    ),
    Switch(
        "networkPolicies.enabled",
        "Network policies: the connections that the operator may accept and open.",
        ("NetworkPolicy",),
    ),
    Switch(
        "admissionPolicies.enabled",
        "Admission policies: they restrict a tenant to its namespaces, and a pod to its own job.",
        (
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ),
    ),
    Switch(
        "podDisruptionBudget.enabled",
        "Keeps one operator running during evictions. With one replica it blocks every drain.",
        ("PodDisruptionBudget",),
    ),
    Switch(
        "priorityClasses.enabled",
        "The priority classes of operator and pods. Without them, name others in the two values above.",
        ("PriorityClass",),
    ),
    Switch(
        "flowControl.enabled",
        "Reserves a share of the API server's requests for the operator.",
        ("FlowSchema", "PriorityLevelConfiguration"),
    ),
)
