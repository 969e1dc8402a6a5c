"""The values of the chart that include or leave out objects: those of some kinds, or those of a component."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KindSwitch:
    """A value of the chart that includes or leaves out all objects of some kinds."""

    name: str
    description: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class ComponentSwitch:
    """A value of the chart that adds the objects of a kustomize component. By default they are left out.

    A component that only has objects can be added, but not one that changes objects of the base.
    """

    name: str
    description: str
    component: str  # its folder in manifests/components


KIND_SWITCHES: tuple[KindSwitch, ...] = (
    KindSwitch(
        "crds.install",
        "The CRDs. When you uninstall the chart, Helm keeps the CRDs and all objects of theirs.",
        ("CustomResourceDefinition",),
    ),
    KindSwitch(
        "networkPolicies.enabled",
        "Network policies: the connections that the operator may accept and open.",
        ("NetworkPolicy",),
    ),
    KindSwitch(
        "admissionPolicies.enabled",
        "Admission policies: they restrict a tenant to its namespaces, and a pod to its own job.",
        (
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ),
    ),
    KindSwitch(
        "podDisruptionBudget.enabled",
        "Keeps one operator running during evictions. With one replica it blocks every drain.",
        ("PodDisruptionBudget",),
    ),
    KindSwitch(
        "priorityClasses.enabled",
        "The priority classes of operator and pods. Without them, name others in the two values above.",
        ("PriorityClass",),
    ),
    KindSwitch(
        "flowControl.enabled",
        "Reserves a share of the API server's requests for the operator.",
        ("FlowSchema", "PriorityLevelConfiguration"),
    ),
)

COMPONENT_SWITCHES: tuple[ComponentSwitch, ...] = (
    ComponentSwitch(
        "labelledSecrets",
        "Ingest pods mount only Secrets with the label sluice.dev/provider-credentials=true. Label those in use first.",
        "labelled-secrets",
    ),
)

# The objects of manifests/monitoring. By default they are left out: a cluster without the Prometheus operator does not
# know their kinds.
MONITORING_SWITCHES: tuple[KindSwitch, ...] = (
    KindSwitch(
        "monitoring.podMonitors",
        "PodMonitors: the Prometheus operator scrapes operator and pods.",
        ("PodMonitor",),
    ),
    KindSwitch(
        "monitoring.rules",
        "PrometheusRules: the alerts, and the recording rules of the service level objectives.",
        ("PrometheusRule",),
    ),
    KindSwitch(
        "monitoring.dashboards",
        "ConfigMaps with two dashboards, which the sidecar of Grafana's Helm chart loads.",
        ("ConfigMap",),
    ),
)


def switch_of_kind(kind: str) -> KindSwitch | None:
    """Return the switch that includes or leaves out the objects of a kind in the base; None if it has no switch."""
    return next((each for each in KIND_SWITCHES if kind in each.kinds), None)
