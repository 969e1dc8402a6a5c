from typing import Any

import msgspec
import pytest

from sluice_contract.schema import field_rows, open_api_schema
from sluice_contract.spec import (
    HOT_FIELDS,
    RESERVED_COLLECTIONS,
    RULES,
    Heartbeat,
    IngestJobSpec,
    Limits,
    Rule,
    cold_part,
)


def test_every_hot_field_is_a_field() -> None:
    assert {path for path, _, _ in field_rows(open_api_schema()["properties"]["spec"])} >= HOT_FIELDS


def test_the_cold_part_changes_with_every_cold_field_and_no_hot_one() -> None:
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"])
    hot: dict[str, Any] = {"symbols": ["B"], "enabled": False, "dry_run": True, "limits": Limits(burst=1)}
    assert cold_part(msgspec.structs.replace(spec, **hot)) == cold_part(spec)
    assert cold_part(msgspec.structs.replace(spec, heartbeat=Heartbeat(interval_seconds=1))) == cold_part(spec)
    for changes in ({"tenant": "b"}, {"provider": "replay"}, {"heartbeat": Heartbeat(document="other")}):
        assert cold_part(msgspec.structs.replace(spec, **changes)) != cold_part(spec)


def test_provider_tenant_and_sink_are_cold() -> None:
    assert HOT_FIELDS.isdisjoint({"tenant", "provider", "alpaca", "synthetic", "replay", "firestore"})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message)
def test_every_rule_stands_at_a_field_that_exists(rule: Rule) -> None:
    schema = open_api_schema()
    for step in rule.path:
        schema = schema["properties"][step]
    assert {"rule": rule.rule, "message": rule.message} in schema["x-kubernetes-validations"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message)
def test_every_rule_s_message_is_a_sentence_that_says_what_to_do(rule: Rule) -> None:
    assert ":" in rule.message
    assert not rule.message.endswith(".")


def test_the_reserved_collections_are_all_in_the_rule_and_its_message() -> None:
    [rule] = [rule for rule in RULES if rule.path[-1:] == ("liveQuotesCollection",)]
    for name in RESERVED_COLLECTIONS:
        assert f"'{name}'" in rule.rule
        assert name in rule.message
    assert IngestJobSpec(tenant="a", provider="replay", symbols=["A"]).firestore.live_quotes_collection == "live_quotes"


def test_the_defaults_are_those_of_the_documentation() -> None:
    spec = IngestJobSpec(tenant="a", provider="synthetic", symbols=["A"])
    limits = spec.limits
    assert (spec.enabled, spec.dry_run, spec.pause, spec.paused_symbols) == (True, False, None, [])
    assert (limits.min_interval_milliseconds, limits.writes_per_second, limits.burst) == (1000, 20, 40)
    assert (limits.flush_interval_milliseconds, spec.heartbeat.interval_seconds) == (200, 15)
    assert spec.heartbeat.document == "market_ingest"
