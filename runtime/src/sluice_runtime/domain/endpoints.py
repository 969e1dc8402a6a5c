"""The URLs of Alpaca's REST interfaces."""

from __future__ import annotations

import msgspec

from sluice_contract.alpaca import Alpaca


class RestEndpoints(msgspec.Struct, frozen=True):
    """REST base URLs. None means Alpaca's own URL if the stream is Alpaca's own, and unknown otherwise."""

    trading_url: str | None
    data_url: str | None
    is_own: bool

    @property
    def has_trading_api(self) -> bool:
        """Return True if account, assets, clock and calendar can be requested."""
        return self.is_own or self.trading_url is not None

    @property
    def has_data_api(self) -> bool:
        """Return True if quotes can be requested."""
        return self.is_own or self.data_url is not None


def rest_endpoints(alpaca: Alpaca, trading_url: str | None, data_url: str | None) -> RestEndpoints:
    """Return the endpoints from the job, or from the environment where the job sets none."""
    return RestEndpoints(
        trading_url=_without_trailing_slash(alpaca.trading_url or trading_url),
        data_url=_without_trailing_slash(alpaca.data_url or data_url),
        is_own=alpaca.stream_url is None,
    )


def _without_trailing_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None
