from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.last_values import LastValues
from sluice_runtime.domain.stream_activity import StreamActivity
from sluice_runtime.state.market_data import MarketData
from sluice_runtime.state.quote_states import QuoteStates
from support.runtime_fakes import bar, desired, quote
from support.virtual_time import START, now


async def test_only_data_of_the_desired_symbols_and_channels_is_accepted() -> None:
    coalescer = Coalescer()
    market = MarketData(coalescer, LastValues({}), StreamActivity(), QuoteStates(coalescer))
    market.accept_symbols_of(desired(symbols=["AAPL"], channels=["quotes", "bars"]))
    coalescer.queue_newest_ticks([quote("AAPL"), quote("MSFT")], now())
    market.last_values.record_bars([bar("AAPL"), bar("MSFT")])
    assert (coalescer.received, coalescer.unwanted, set(market.last_values.bars)) == (1, 1, {"AAPL"})


async def test_the_last_event_times_of_a_symbol_leave_out_channels_without_data() -> None:
    coalescer = Coalescer()
    market = MarketData(coalescer, LastValues({}), StreamActivity(), QuoteStates(coalescer))
    market.accept_symbols_of(desired(symbols=["AAPL"], channels=["quotes", "bars"]))
    assert market.last_event_times("AAPL") == {}
    coalescer.queue_newest_ticks([quote("AAPL", START)], now())
    market.last_values.record_bars([bar("AAPL")])
    assert market.last_event_times("AAPL") == {"quotes": START, "bars": now()}
