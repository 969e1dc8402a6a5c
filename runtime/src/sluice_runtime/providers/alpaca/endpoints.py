"""The URLs of Alpaca's stream and REST interfaces."""

from __future__ import annotations

import msgspec

from sluice_contract.alpaca import ALPACA_STREAM_URL, AlpacaSettings

_STREAM_PATHS = {"boats": "v1beta1/boats", "overnight": "v1beta1/overnight", "crypto": "v1beta3/crypto/us"}


def stream_url(alpaca: AlpacaSettings) -> str:
    """Return the URL of the stream: the one that the job sets, or that of its feed."""
    return alpaca.stream_url or f"{ALPACA_STREAM_URL}/{_STREAM_PATHS.get(alpaca.feed, f'v2/{alpaca.feed}')}"


class RestEndpoints(msgspec.Struct, frozen=True):
    """The base URLs of Alpaca's REST interfaces.

    If `is_alpaca_stream` is True, the stream comes from Alpaca itself, and None means Alpaca's own URL. Otherwise,
    None means that the URL is unknown.
    """

    trading_url: str | None
    data_url: str | None
    is_alpaca_stream: bool

    @property
    def has_trading_api(self) -> bool:
        """Return True if there is a trading interface: account, assets, clock and calendar."""
        return self.is_alpaca_stream or self.trading_url is not None

    @property
    def has_data_api(self) -> bool:
        """Return True if there is a market data interface: the newest quotes and trades."""
        return self.is_alpaca_stream or self.data_url is not None


def rest_endpoints(
    alpaca: AlpacaSettings, fallback_trading_url: str | None, fallback_data_url: str | None
) -> RestEndpoints:
    """Return the base URLs that the job sets, and the fallback where it sets none."""
    return RestEndpoints(
        trading_url=_without_trailing_slash(alpaca.trading_url or fallback_trading_url),
        data_url=_without_trailing_slash(alpaca.data_url or fallback_data_url),
        is_alpaca_stream=alpaca.stream_url is None,
    )


def _without_trailing_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None
