"""Specs of IngestJobs that together have every field, for tests that change one field after the other."""

from __future__ import annotations

from typing import Any

from support.schema_values import TIME

# By the name of the job, which is that of its provider unless the spec names another one.
SPECS: dict[str, dict[str, Any]] = {
    "synthetic": {
        "synthetic": {"seed": 1, "faults": [{"kind": "gap", "afterSeconds": 1, "forSeconds": 1}]},
        "pause": {"reason": "a", "until": TIME},
        "pausedSymbols": [{"symbol": "SPY", "reason": "a", "until": TIME}],
        "autoStop": {"afterSeconds": 60},
        "sessions": ["regular"],
        "http": {"tokenSecretRef": {"name": "http"}, "public": True},
        "firestore": {"credentialsSecretRef": {"name": "firestore"}},
        "pod": {
            "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
            "nodeSelector": {"a": "b"},
            "tolerations": [{"key": "a", "operator": "Exists"}],
            "imagePullSecrets": [{"name": "a"}],
            "env": [{"name": "LOG_LEVEL", "value": "info"}],
            "labels": {"a": "b"},
            "annotations": {"a": "b"},
        },
    },
    "alpaca": {"alpaca": {"credentialsSecretRef": {"name": "alpaca"}, "caConfigMapRef": {"name": "ca"}}},
    "ibkr": {"ibkr": {"host": "gateway"}},
    "replay": {"replay": {"tape": {"configMapRef": {"name": "tape"}}}},
    "claim": {"provider": "replay", "replay": {"tape": {"claimRef": {"name": "tape"}}}},
}
