"""The last trade after the events that a listener has received."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sluice_runtime.domain.last_values import LastValues
from support.fake_listener import FakeListener


def last_price(listener: FakeListener, symbol: str) -> float | None:
    """Return the price of the trade that sets the price of a symbol; None if there is none."""
    values = LastValues()
    values.set_kept_symbols(frozenset({symbol}), frozenset({symbol}), frozenset({"trades"}))
    values.record_trades(listener.trade_events, datetime.now(UTC) + timedelta(seconds=5))
    trade = values.last_trade(symbol)
    return trade.price if trade is not None else None
