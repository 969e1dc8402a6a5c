import msgspec
import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.provider_block import ConfigMapMount, SecretMount
from sluice_contract.provider_urls import CredentialsURL


def test_every_field_is_optional() -> None:
    found = msgspec.convert({}, AlpacaSettings)
    assert (found.feed, found.engine, found.stream_url, found.data_url) == ("iex", "native", None, None)


def test_a_proxy_is_three_urls() -> None:
    urls = {"streamURL": "wss://proxy/v2/iex", "dataURL": "https://proxy/data", "tradingURL": "http://proxy"}
    assert msgspec.to_builtins(msgspec.convert(urls, AlpacaSettings)) == urls


@pytest.mark.parametrize(
    "block",
    [
        {"feed": "otc"},
        {"engine": "rust"},
        {"streamURL": "https://proxy/v2/iex"},
        {"dataURL": "wss://proxy"},
        {"dataURL": "https://proxy/?key=1"},
        {"tradingURL": "https://proxy/a b"},
        {"tradingURL": "https://" + "a" * 512},
    ],
)
def test_values_out_of_bounds_are_rejected(block: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(block, AlpacaSettings)


def test_a_job_of_alpaca_s_own_stream_sends_its_key_pair_to_alpaca_s_servers() -> None:
    assert [(each.field, each.url, each.is_default) for each in AlpacaSettings().credentials_urls()] == [
        ("spec.alpaca.streamURL", "wss://stream.data.alpaca.markets", True),
        ("spec.alpaca.dataURL", "https://data.alpaca.markets", True),
        ("spec.alpaca.tradingURL", "https://api.alpaca.markets", True),
        ("spec.alpaca.tradingURL", "https://paper-api.alpaca.markets", True),
    ]


def test_a_job_of_another_stream_sends_its_key_pair_only_to_the_servers_that_it_names() -> None:
    settings = AlpacaSettings(stream_url="wss://proxy.example/v2/iex")
    assert list(settings.credentials_urls()) == [CredentialsURL("spec.alpaca.streamURL", settings.stream_url or "")]
    named = AlpacaSettings(stream_url="wss://a", data_url="https://b", trading_url="https://c")
    assert [each.url for each in named.credentials_urls()] == ["wss://a", "https://b", "https://c"]


def test_the_pod_mounts_the_secret_and_the_certificates_that_the_block_names() -> None:
    named = {"credentialsSecretRef": {"name": "keys"}, "caConfigMapRef": {"name": "authorities"}}
    block = msgspec.convert(named, AlpacaSettings)
    assert block.credentials == SecretMount(
        volume="alpaca", name="keys", keys=("ALPACA_KEY_ID", "ALPACA_SECRET_KEY"), directory="/etc/sluice/alpaca"
    )
    assert block.settings_mounts == (
        ConfigMapMount(volume="alpaca-ca", name="authorities", directory="/etc/sluice/alpaca-ca"),
    )
    assert (AlpacaSettings().credentials, AlpacaSettings().settings_mounts) == (None, ())
