import pytest

from sluice_contract.alpaca import AlpacaSettings
from sluice_runtime.providers.alpaca.endpoints import RestEndpoints, rest_endpoints, stream_url

STREAM = "wss://proxy/v2/iex"


def test_alpaca_s_own_stream_has_alpaca_s_own_rest_urls() -> None:
    found = rest_endpoints(AlpacaSettings(), None, None)
    assert (found.trading_url, found.data_url) == (None, None)
    assert (found.has_trading_api, found.has_data_api) == (True, True)


def test_another_server_has_no_default_rest_urls() -> None:
    found = rest_endpoints(AlpacaSettings(stream_url=STREAM), None, None)
    assert (found.has_trading_api, found.has_data_api) == (False, False)
    found = rest_endpoints(AlpacaSettings(stream_url=STREAM, data_url="https://proxy/data/"), None, None)
    assert (found.has_trading_api, found.has_data_api, found.data_url) == (False, True, "https://proxy/data")


@pytest.mark.parametrize("declared", ["https://job", None])
def test_the_job_takes_precedence_over_the_environment(declared: str | None) -> None:
    found = rest_endpoints(
        AlpacaSettings(trading_url=declared, data_url=declared), "https://environment", "https://environment/"
    )
    wanted = declared or "https://environment"
    assert found == RestEndpoints(trading_url=wanted, data_url=wanted, is_alpaca_stream=True)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (AlpacaSettings(), "wss://stream.data.alpaca.markets/v2/iex"),
        (AlpacaSettings(feed="crypto"), "wss://stream.data.alpaca.markets/v1beta3/crypto/us"),
        (AlpacaSettings(feed="sip", stream_url=STREAM), STREAM),
    ],
)
def test_the_stream_is_that_of_the_feed_unless_the_job_names_another(settings: AlpacaSettings, url: str) -> None:
    assert stream_url(settings) == url
