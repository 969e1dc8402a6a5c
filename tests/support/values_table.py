"""Values of single fields, with the verdict that every reader gives on them, and values of the chart.

The readers are those of `documents_table`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from support.documents_table import HEADER


@dataclass(frozen=True)
class ValueCase:
    """A value of one field of the spec. `is_valid` is the verdict on the document.

    `environment` and `chart` are the verdicts on the same value in a variable and in the chart; None if it cannot be
    expressed there.
    """

    field: str
    value: Any
    is_valid: bool
    environment: bool | None
    chart: bool | None = None

    @property
    def document(self) -> str:
        """Return the document with this value, as JSON, which is YAML too."""
        spec: dict[str, Any] = {
            "tenant": "acme",
            "provider": "alpaca",
            "symbols": ["SPY"],
            "alpaca": {"credentialsSecretRef": {"name": "environment"}},
        }
        *path, last = self.field.removeprefix("spec.").removesuffix("[0]").split(".")
        part = spec
        for step in path:
            part = part.setdefault(step, {})
        part[last] = [self.value] if self.field.endswith("[0]") else self.value
        return HEADER + f"spec: {json.dumps(spec)}\n"


@dataclass(frozen=True)
class ChartCase:
    """The text of a file with values of the chart. `place` is the value that a refusal names; empty if accepted."""

    text: str
    place: str = ""


VARIABLES = {
    "spec.tenant": "TENANT_ID",
    "spec.symbols[0]": "MONITORED_SYMBOLS",
    "spec.dryRun": "DRY_RUN",
    "spec.alpaca.feed": "ALPACA_DATA_FEED",
    "spec.alpaca.streamURL": "ALPACA_STREAM_URL",
    "spec.firestore.projectID": "FIRESTORE_PROJECT_ID",
    "spec.firestore.liveQuotesCollection": "FIRESTORE_LIVE_QUOTES_COLLECTION",
    "spec.limits.minIntervalMilliseconds": "PER_SYMBOL_MIN_INTERVAL_MS",
    "spec.limits.writesPerSecond": "GLOBAL_WRITES_PER_SEC",
    "spec.limits.burst": "GLOBAL_BURST",
    "spec.limits.flushIntervalMilliseconds": "FLUSH_INTERVAL_MS",
    "spec.heartbeat.intervalSeconds": "HEARTBEAT_INTERVAL_S",
    "spec.autoStop.afterSeconds": "STOP_AFTER_SECONDS",
}
CHART_VALUES = {
    "spec.firestore.projectID": "defaultFirestoreProject",
    "spec.pod.resources.limits.memory": "resources.limits.memory",
    "spec.pod.resources.requests.cpu": "resources.requests.cpu",
    "spec.pod.nodeSelector.disk": "nodeSelector.disk",
    "spec.pod.priorityClassName": "priorityClassName",
}


def _values(
    field: str, valid: tuple[Any, ...], invalid: tuple[Any, ...], *, in_environment: bool = True
) -> list[ValueCase]:
    """Return cases with the same verdict of every reader that has the field."""
    cases = []
    for verdict, value in (*((True, each) for each in valid), *((False, each) for each in invalid)):
        environment = verdict if in_environment and field in VARIABLES else None
        cases.append(ValueCase(field, value, verdict, environment, verdict if field in CHART_VALUES else None))
    return cases


VALUES: list[ValueCase] = [
    *_values("spec.tenant", ("acme",), ("Acme!", "a.b", "-a", "a_b", "a/b", "ä", "a" * 64)),
    *_values("spec.symbols[0]", ("SPY", "BRK.B", "BTC/USD", "ON", "A1"), ("A-B", "1A", "A B", "A..B", "Ä", "A" * 22)),
    # The environment has no types, and its symbols may be in lower case.
    ValueCase("spec.symbols[0]", "spy", is_valid=False, environment=True),
    ValueCase("spec.symbols[0]", "SPY\n", is_valid=False, environment=True),
    ValueCase("spec.symbols[0]", " SPY", is_valid=False, environment=True),
    ValueCase("spec.symbols[0]", "", is_valid=False, environment=True),
    *_values("spec.alpaca.feed", ("iex", "sip", "crypto"), ("best",)),
    # A variable's letter case does not count.
    ValueCase("spec.alpaca.feed", "IEX", is_valid=False, environment=True),
    ValueCase("spec.alpaca.feed", "iex ", is_valid=False, environment=True),
    *_values(
        "spec.alpaca.streamURL",
        ("wss://a/v2/sip", "ws://127.0.0.1:8765/v2/iex", "wss://[::1]:8765/v2/iex"),
        ("https://a", "a:8765", "wss://", "wss://a b", "wss://ä", "wss://" + "a" * 600),
    ),
    ValueCase("spec.alpaca.streamURL", "wss://a\n", is_valid=False, environment=True),
    *_values(
        "spec.firestore.projectID",
        ("demo-sluice", "my-project-123", "abcdef", "a" * 30),
        ("abc", "Demo-Sluice", "1project", "project-", "my_project", "a.b.c.d", "example.com:project", "a" * 31),
    ),
    # A variable and a value of the chart that are empty count as not set, and a variable has no space around it.
    ValueCase("spec.firestore.projectID", "", is_valid=False, environment=True, chart=True),
    ValueCase("spec.firestore.projectID", "demo-sluice\n", is_valid=False, environment=True, chart=False),
    *_values(
        "spec.firestore.liveQuotesCollection", ("live_quotes", "q", "a" * 100), ("1a", "a/b", "__a__", "a b", ".")
    ),
    *_values("spec.limits.minIntervalMilliseconds", (0, 1000, 3_600_000, 500.0), (-1, 3_600_001, 0.5)),
    *_values("spec.limits.writesPerSecond", (1, 500), (0, 501, 1.5, -20)),
    *_values("spec.limits.burst", (1, 1000, 40.0), (0, 1001, "many", True, 1e30)),
    ValueCase("spec.limits.burst", "40", is_valid=False, environment=True),
    *_values("spec.limits.flushIntervalMilliseconds", (20, 10_000), (19, 10_001)),
    *_values("spec.heartbeat.intervalSeconds", (1, 30), (0, 31, "15s")),
    *_values("spec.autoStop.afterSeconds", (1, 31_536_000), (0, -1, 31_536_001, "1h")),
    *_values("spec.dryRun", (True, False), ("maybe",)),
    ValueCase("spec.dryRun", "yes", is_valid=False, environment=True),
    ValueCase("spec.dryRun", 1, is_valid=False, environment=True),
    *_values(
        "spec.pod.resources.limits.memory", ("128Mi", "1.5Gi", "1000"), ("128MB", "-1Mi", "1 Gi", "", "Mi", "1e3x")
    ),
    *_values("spec.pod.resources.requests.cpu", ("1", "250m", "0.5"), ("1/2", "250 m", "half")),
    # Kubernetes itself has numbers as quantities, an IngestJob only texts.
    ValueCase("spec.pod.resources.requests.cpu", 1, is_valid=False, environment=None, chart=True),
    *_values("spec.pod.nodeSelector.disk", ("ssd", ""), ("a b", "-a", "ssd\n", True, 1)),
    *_values("spec.pod.priorityClassName", ("high", "a.b"), ("High", "a b", "high\n")),
]

CHARTS: list[ChartCase] = [
    *(ChartCase(f"{name}: null", f"missing property '{name}'") for name in (
        "replicas", "image", "runtimeImage", "crds", "networkPolicies", "admissionPolicies", "podDisruptionBudget",
        "priorityClasses", "flowControl", "labelledSecrets", "serviceAccount",
    )),
    *(ChartCase(f"{name}: null") for name in (
        "watchNamespaces", "defaultFirestoreProject", "firestoreEmulatorHost", "logLevel", "resources", "nodeSelector",
        "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "ingestPriorityClassName",
    )),
    ChartCase("image: {tag: null}"),
    ChartCase("image: {repository: null}", "at '/image': missing property 'repository'"),
    ChartCase("networkPolicies: {enabled: null}", "at '/networkPolicies': missing property 'enabled'"),
    ChartCase("crds: {install: null}", "at '/crds': missing property 'install'"),
    ChartCase("networkPolicies: {enabled: no}"),
    ChartCase('networkPolicies: {enabled: "no"}', "/networkPolicies/enabled"),
    ChartCase("watchNamespaces: [on]", "/watchNamespaces/0"),
    ChartCase("watchNamespaces: [null]", "/watchNamespaces/0"),
    ChartCase("nodeSelector: {disk: yes}", "/nodeSelector/disk"),
    ChartCase("replicas: 010", "/replicas"),
    ChartCase("replicas: 2.5", "/replicas"),
    ChartCase("firestoreEmulatorHost: '[::1]:8080'"),
    ChartCase("firestoreEmulatorHost: 127.0.0.1:8080"),
    ChartCase("firestoreEmulatorHost: '::1:8080'", "/firestoreEmulatorHost"),
    ChartCase('firestoreEmulatorHost: "a:8080\\n"', "/firestoreEmulatorHost"),
    ChartCase("firestoreEmulatorHost: https://a:8080", "/firestoreEmulatorHost"),
    ChartCase("resources: {limits: {memory: null}}"),
    ChartCase("resources: {limits: {memory: -1}}", "/resources/limits/memory"),
]  # fmt: skip
