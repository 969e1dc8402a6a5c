from sluice_contract.resource import decode_ingest_job
from sluice_contract.rule import ValidationRule


def test_a_rule_has_a_cel_expression_and_an_equal_predicate() -> None:
    rule = ValidationRule(
        path=("spec",), rule="self.enabled", message="it is off: turn it on", holds=lambda job: job.spec.enabled
    )
    spec = {"tenant": "acme", "provider": "synthetic", "symbols": ["A"]}
    assert rule.holds(decode_ingest_job({"metadata": {"name": "us"}, "spec": spec}))
    assert not rule.holds(decode_ingest_job({"metadata": {"name": "us"}, "spec": spec | {"enabled": False}}))
