"""For each rule across fields, documents that keep it and that break it. `field` is the beginning of its message."""

from __future__ import annotations

from typing import Any

import msgspec

from support.documents_table import HEADER, DocumentCase

_CREDENTIALS = {"credentialsSecretRef": {"name": "alpaca"}}
_TAPE = {"tape": {"configMapRef": {"name": "tape"}}}
_BOTH = {"tape": {"configMapRef": {"name": "a"}, "claimRef": {"name": "b"}}}


def _case(message: str = "", **spec: Any) -> DocumentCase:
    whole = {"tenant": "acme", "provider": "synthetic", "symbols": ["SPY"], **spec}
    return DocumentCase(f"{HEADER}spec: {msgspec.json.encode(whole).decode()}\n", message)


def _pod_case(message: str = "", **pod: Any) -> DocumentCase:
    return _case(message, pod=pod)


def _environment(name: str, *values: str, message: str = "") -> list[DocumentCase]:
    return [_pod_case(message, env=[{"name": name, "value": value}]) for value in values]


RULE_CASES: list[DocumentCase] = [
    _case("spec.channels must contain quotes", channels=["trades"]),
    _case(channels=["trades", "quotes"]),
    _case("spec.alpaca is used only by", alpaca=_CREDENTIALS),
    _case("spec.ibkr is used only by", ibkr={"host": "gateway"}),
    _case("spec.synthetic is used only by", provider="alpaca", dryRun=True, synthetic={}),
    _case("spec.replay is used only by", replay=_TAPE),
    _case("provider replay needs spec.replay.tape", provider="replay"),
    _case("spec.replay.tape needs exactly one location", provider="replay", replay={"tape": {}}),
    _case("spec.replay.tape needs exactly one location", provider="replay", replay=_BOTH),
    _case(provider="replay", replay=_TAPE),
    _case(provider="replay", replay={"tape": {"claimRef": {"name": "b"}}}),
    _case("provider alpaca needs spec.alpaca.credentialsSecretRef", provider="alpaca"),
    _case("provider alpaca needs spec.alpaca.credentialsSecretRef", provider="alpaca", alpaca={"feed": "iex"}),
    _case(provider="alpaca", dryRun=True),
    _case(provider="alpaca", alpaca=_CREDENTIALS),
    _case("provider ibkr needs spec.ibkr.host", provider="ibkr"),
    _case("provider ibkr has no one-minute bars", provider="ibkr", ibkr={"host": "a"}, channels=["quotes", "bars"]),
    _case(provider="ibkr", ibkr={"host": "::1"}, channels=["quotes", "trades"]),
    _case("limits.writesPerDay must be at least", limits={"writesPerDay": 20_000}, heartbeat={"intervalSeconds": 8}),
    _case(limits={"writesPerDay": 172_800}, heartbeat={"intervalSeconds": 1}),
    *(
        _case("this collection name is reserved", firestore={"liveQuotesCollection": name})
        for name in ("users", "ops", "live_bars", "ingest_state")
    ),
    _pod_case("a key of spec.pod.nodeSelector is not a qualified name", nodeSelector={"a b": "c"}),
    _pod_case("a key of spec.pod.labels is not a qualified name", labels={"a\n": "c"}),
    _pod_case("a key of spec.pod.annotations is not a qualified name", annotations={"/a": "c"}),
    _pod_case("spec.pod.labels cannot have keys of sluice.dev", labels={"sluice.dev/job": "c"}),
    _pod_case("spec.pod.labels cannot have keys of sluice.dev", labels={"app.kubernetes.io/name": "c"}),
    _pod_case("spec.pod.annotations cannot have keys of sluice.dev", annotations={"sluice.dev/epoch": "1"}),
    _pod_case(labels={"example.com/a": "c"}, annotations={"a": "any\ntext"}, nodeSelector={"a": ""}),
    _pod_case("a toleration without a key", tolerations=[{"value": "a"}]),
    _pod_case(tolerations=[{"operator": "Exists"}, {"key": "a", "value": "b"}]),
    _pod_case("tolerationSeconds applies only to", tolerations=[{"key": "a", "tolerationSeconds": 1}]),
    _pod_case(
        "tolerationSeconds applies only to", tolerations=[{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1}]
    ),
    _pod_case(tolerations=[{"key": "a", "effect": "NoExecute", "tolerationSeconds": 0}]),
    *_environment("INGEST_ENABLED", "off", "ON", "Disabled", ""),
    *_environment("INGEST_ENABLED", "maybe", "off ", "off\n", message="INGEST_ENABLED must be one of"),
    *_environment("LOG_LEVEL", "debug", "error"),
    *_environment("LOG_LEVEL", "DEBUG", "", "info\n", message="LOG_LEVEL must be one of"),
    *_environment("LOG_QUOTES", "sampled", "all"),
    *_environment("LOG_QUOTES", "none", "All", message="LOG_QUOTES must be one of"),
    *_environment("RECONNECT_BACKOFF_BASE_S", "0.5", "60", "0.001"),
    *_environment("RECONNECT_BACKOFF_MAX_S", "0", "0.0", "1s", "1e3", "-1", ".5", "1\n", "inf",
                  message="RECONNECT_BACKOFF_BASE_S and RECONNECT_BACKOFF_MAX_S must be seconds"),
]  # fmt: skip
