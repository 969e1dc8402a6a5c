"""What a provider's block declares if it overrides nothing."""

from sluice_contract.ibkr import IBKRSettings
from sluice_contract.provider_block import ProviderBlock


def test_a_provider_mounts_nothing_unless_it_says_so() -> None:
    for block in (ProviderBlock(), IBKRSettings(host="gateway")):
        assert (block.credentials, block.settings_mounts, block.data_mounts) == (None, (), ())


def test_a_provider_sends_no_credentials_and_allows_no_host_unless_it_says_so() -> None:
    assert (list(ProviderBlock().credentials_urls()), ProviderBlock().gateway) == ([], None)
    assert ProviderBlock.default_hosts == ()


def test_a_provider_needs_no_credentials_and_its_stream_has_no_end_unless_it_says_so() -> None:
    assert (ProviderBlock.needs_credentials, ProviderBlock.stream_has_end, ProviderBlock.rules) == (False, False, ())
