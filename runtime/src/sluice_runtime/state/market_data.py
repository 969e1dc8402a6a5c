"""What the messages of the provider have brought: quotes, the last trades, bars and halts, and the times of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..domain.coalescer import Coalescer
from ..domain.desired import Desired
from ..domain.last_values import LastValues
from ..domain.stream_activity import StreamActivity
from .quote_states import QuoteStates


@dataclass(frozen=True)
class MarketData:
    """The market data of the job's symbols. The stream fills it, and the loops that write documents read it."""

    coalescer: Coalescer
    last_values: LastValues
    activity: StreamActivity
    quote_states: QuoteStates

    def accept_symbols_of(self, desired: Desired) -> None:
        """Accept the data of the desired symbols from now on, and forget that of symbols that are not declared."""
        self.coalescer.set_wanted_symbols(desired.symbols, desired.declared)
        self.last_values.set_kept_symbols(desired.declared, desired.symbols, desired.channels)

    def last_event_times(self, symbol: str) -> dict[str, datetime]:
        """Return the event time of the newest data of a symbol, by channel. Channels without data are absent."""
        quote, trade = self.coalescer.newest_tick_time(symbol), self.last_values.last_trade(symbol)
        bar = self.last_values.bar_times.get(symbol)
        found = {"quotes": quote, "trades": trade.ts if trade else None, "bars": bar}
        return {channel: ts for channel, ts in found.items() if ts is not None}
