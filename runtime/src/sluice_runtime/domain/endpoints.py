"""Where Alpaca's REST interfaces are."""

from __future__ import annotations

import msgspec

from sluice_contract.alpaca import Alpaca


class Endpoints(msgspec.Struct, frozen=True):
    """None: Alpaca's own where the stream is Alpaca's own, else nobody knows."""

    trading_url: str | None
    data_url: str | None
    is_own: bool

    @property
    def knows_trading(self) -> bool:
        """Whether account, assets, clock and calendar can be asked for."""
        return self.is_own or self.trading_url is not None

    @property
    def knows_data(self) -> bool:
        """Whether quotes can be asked for."""
        return self.is_own or self.data_url is not None


def endpoints(alpaca: Alpaca, trading_url: str | None, data_url: str | None) -> Endpoints:
    """As the job says, else as the environment does."""
    return Endpoints(
        trading_url=_base(alpaca.trading_url or trading_url),
        data_url=_base(alpaca.data_url or data_url),
        is_own=alpaca.stream_url is None,
    )


def _base(url: str | None) -> str | None:
    return url.rstrip("/") if url else None
