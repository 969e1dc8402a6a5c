from typing import Any

import pytest

from sluice_contract.resource import IngestJob, decode_ingest_job
from sluice_contract.rule import ValidationRule
from sluice_contract.rules import RESERVED_COLLECTIONS, RULES, messages_of_broken_rules
from sluice_contract.schema import open_api_schema
from sluice_contract.spec import IngestJobSpec


def job(name: str = "us", **spec: Any) -> IngestJob:
    whole = {"tenant": "acme", "provider": "synthetic", "symbols": ["A"], **spec}
    return decode_ingest_job({"metadata": {"name": name}, "spec": whole})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message)
def test_every_rule_belongs_to_an_existing_field(rule: ValidationRule) -> None:
    schema = open_api_schema()
    for step in rule.path:
        schema = schema["properties"][step]
    assert {"rule": rule.rule, "message": rule.message} in schema["x-kubernetes-validations"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message)
def test_every_rule_s_message_is_a_sentence_that_says_what_to_do(rule: ValidationRule) -> None:
    assert ":" in rule.message
    assert not rule.message.endswith(".")


def test_the_reserved_collections_are_all_in_the_rule_and_its_message() -> None:
    [rule] = [rule for rule in RULES if rule.path[-1:] == ("liveQuotesCollection",)]
    for name in RESERVED_COLLECTIONS:
        assert f"'{name}'" in rule.rule
        assert name in rule.message
    assert IngestJobSpec(tenant="a", provider="replay", symbols=["A"]).firestore.live_quotes_collection == "live_quotes"


def test_a_valid_document_breaks_no_rule() -> None:
    assert messages_of_broken_rules(job(limits={"writesPerDay": 20_000}, heartbeat={"intervalSeconds": 9})) == []
    assert messages_of_broken_rules(job()) == []
    assert messages_of_broken_rules(job(provider="alpaca", alpaca={"credentialsSecretRef": {"name": "alpaca"}})) == []
    assert messages_of_broken_rules(job(provider="alpaca", dryRun=True)) == []
    assert messages_of_broken_rules(job(provider="ibkr", ibkr={"host": "gateway"}, channels=["quotes", "trades"])) == []


@pytest.mark.parametrize(
    ("document", "beginning"),
    [
        (job("n" * 57), "metadata.name can have at most 56"),
        (job(alpaca={}), "spec.alpaca is used only by"),
        (job(provider="alpaca", dryRun=True, synthetic={}), "spec.synthetic is used only by"),
        (job(provider="replay"), "provider replay needs"),
        (job(provider="replay", replay={"tape": {}}), "spec.replay.tape needs exactly one location"),
        (
            job(provider="replay", replay={"tape": {"configMapRef": {"name": "a"}, "claimRef": {"name": "a"}}}),
            "spec.replay.tape needs exactly one location",
        ),
        (job(provider="alpaca", alpaca={}), "provider alpaca needs"),
        (job(ibkr={"host": "gateway"}), "spec.ibkr is used only by"),
        (job(provider="ibkr"), "provider ibkr needs"),
        (
            job(limits={"writesPerDay": 20_000}, heartbeat={"intervalSeconds": 8}),
            "limits.writesPerDay must be at least",
        ),
        (job(provider="ibkr", ibkr={"host": "gateway"}, channels=["quotes", "bars"]), "provider ibkr has no"),
        (job(firestore={"liveQuotesCollection": "users"}), "this collection name is reserved"),
    ],
)
def test_a_broken_rule_is_reported_by_its_message_without_an_api_server(document: IngestJob, beginning: str) -> None:
    [sentence] = messages_of_broken_rules(document)
    assert sentence.startswith(beginning)
