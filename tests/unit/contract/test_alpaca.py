import msgspec
import pytest

from sluice_contract.alpaca import AlpacaSettings


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
