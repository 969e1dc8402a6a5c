"""The blocks of all providers."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.provider_block import ProviderBlock
from sluice_contract.providers import (
    BLOCK_TYPES,
    DEFAULT_HOST_ENTRIES,
    PROVIDER_RULES,
    declared_blocks,
    feed_of_spec,
    feeds_of_provider,
    needs_credentials,
    stream_has_end,
)
from sluice_contract.spec import IngestJobSpec, Provider
from sluice_contract.synthetic import SyntheticSettings
from sluice_contract.values import SecretReference


def spec(provider: Provider = "synthetic", *, dry_run: bool = False, **blocks: ProviderBlock) -> IngestJobSpec:
    job = IngestJobSpec(tenant="acme", provider=provider, symbols=["SPY"], dry_run=dry_run)
    return msgspec.structs.replace(job, **blocks)


def test_each_provider_has_a_block() -> None:
    assert list(BLOCK_TYPES) == list(get_args(Provider))
    assert all(issubclass(each, ProviderBlock) for each in BLOCK_TYPES.values())


def test_the_blocks_of_a_spec_are_those_that_it_has() -> None:
    alpaca, synthetic = AlpacaSettings(), SyntheticSettings()
    assert declared_blocks(spec()) == []
    assert declared_blocks(spec(synthetic=synthetic, alpaca=alpaca)) == [alpaca, synthetic]


def test_the_default_hosts_are_those_of_all_blocks() -> None:
    assert [host for block in BLOCK_TYPES.values() for host in block.default_hosts] == list(DEFAULT_HOST_ENTRIES)
    assert "*.alpaca.markets" in DEFAULT_HOST_ENTRIES


def test_a_job_needs_the_credentials_of_its_provider_unless_a_dry_run_simulates_quotes() -> None:
    keys = AlpacaSettings(credentials_secret_ref=SecretReference(name="keys"))
    assert needs_credentials(spec("alpaca"))
    assert needs_credentials(spec("alpaca", dry_run=True, alpaca=keys))
    assert not needs_credentials(spec("alpaca", dry_run=True, alpaca=AlpacaSettings()))
    assert not needs_credentials(spec("ibkr"))


def test_a_tape_has_an_end_and_generated_quotes_have_none() -> None:
    assert stream_has_end(spec("replay"))
    assert not stream_has_end(spec("synthetic"))


def test_each_block_is_for_its_provider_only() -> None:
    rules = {rule.message.partition(":")[0]: rule for rule in PROVIDER_RULES}
    assert {f"spec.{each} is used only by provider {each}" for each in BLOCK_TYPES} <= rules.keys()


@pytest.mark.parametrize(
    ("fields", "feed"),
    [
        ({"provider": "alpaca", "alpaca": {"feed": "sip", "credentialsSecretRef": {"name": "alpaca"}}}, "sip"),
        ({"provider": "alpaca", "alpaca": {"credentialsSecretRef": {"name": "alpaca"}}}, "iex"),
        ({"provider": "alpaca", "dryRun": True}, "iex"),
        ({"provider": "synthetic", "synthetic": {"quotesPerSecond": 5}}, None),
        ({"provider": "synthetic"}, None),
    ],
)
def test_the_feed_of_a_job_is_known_also_if_it_is_not_written(fields: dict[str, Any], feed: str | None) -> None:
    document = {"tenant": "acme", "symbols": ["SPY"]} | fields
    assert feed_of_spec(msgspec.convert(document, IngestJobSpec)) == feed


def test_the_feeds_of_a_provider_are_those_of_its_field_feed() -> None:
    assert feeds_of_provider("alpaca")[:2] == ("iex", "sip")
    assert feeds_of_provider("synthetic") == ()
