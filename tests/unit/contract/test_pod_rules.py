from typing import Any

import pytest

from sluice_contract.resource import decode_ingest_job
from sluice_contract.rules import messages_of_broken_rules


def rules_broken_by(**pod: Any) -> list[str]:
    spec = {"tenant": "acme", "provider": "synthetic", "symbols": ["A"], "pod": pod}
    return messages_of_broken_rules(decode_ingest_job({"metadata": {"name": "us"}, "spec": spec}))


def test_a_valid_pod_breaks_no_rule() -> None:
    assert rules_broken_by() == []
    assert (
        rules_broken_by(
            labels={"desk": "options", "example.com/desk": "options"},
            annotations={"example.com/note": "any text"},
            nodeSelector={"kubernetes.io/arch": "amd64"},
            tolerations=[{"operator": "Exists"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}],
            env=[
                {"name": "LOG_LEVEL", "value": "debug"},
                {"name": "LOG_QUOTES", "value": "all"},
                {"name": "RECONNECT_BACKOFF_BASE_S", "value": "0.5"},
                {"name": "INGEST_ENABLED", "value": "0"},
            ],
        )
        == []
    )


@pytest.mark.parametrize(
    ("pod", "beginning"),
    [
        ({"labels": {"sluice.dev/tenant": "other"}}, "spec.pod.labels cannot have keys of sluice.dev"),
        ({"annotations": {"sluice.dev/epoch": "9"}}, "spec.pod.annotations cannot have keys of sluice.dev"),
        ({"labels": {"app.kubernetes.io/name": "other"}}, "spec.pod.labels cannot have keys of sluice.dev"),
        ({"tolerations": [{"value": "a"}]}, "a toleration without a key"),
        (
            {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
            "tolerationSeconds applies only to the effect NoExecute",
        ),
        ({"env": [{"name": "LOG_LEVEL", "value": "loud"}]}, "LOG_LEVEL must be one of"),
        ({"env": [{"name": "LOG_QUOTES", "value": "some"}]}, "LOG_QUOTES must be one of these"),
        ({"env": [{"name": "RECONNECT_BACKOFF_MAX_S", "value": "0"}]}, "RECONNECT_BACKOFF_BASE_S and"),
        ({"env": [{"name": "RECONNECT_BACKOFF_MAX_S", "value": "a minute"}]}, "RECONNECT_BACKOFF_BASE_S and"),
    ],
)
def test_a_broken_rule_is_reported_by_its_message(pod: dict[str, Any], beginning: str) -> None:
    [sentence] = rules_broken_by(**pod)
    assert sentence.startswith(beginning)
