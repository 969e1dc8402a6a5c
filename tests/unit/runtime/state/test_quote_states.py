from sluice_contract.documents import QuoteState
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.market import Halt
from sluice_runtime.state.quote_states import QuoteStates
from support.runtime_fakes import quote
from support.virtual_time import now


def halt(symbol: str, *, halted: bool) -> Halt:
    return Halt(symbol=symbol, ts=now(), halted=halted, code="H", reason="news")


async def test_a_symbol_without_a_state_is_live() -> None:
    states = QuoteStates(Coalescer())
    states.replace_states({"AAPL": "stale"})
    assert [states.state_of_document(symbol) for symbol in ("AAPL", "MSFT")] == ["stale", "live"]
    assert states.symbols_not_live == {"AAPL"}


async def test_a_stale_symbol_that_ticks_is_live_before_the_next_check() -> None:
    coalescer = Coalescer()
    coalescer.set_wanted_symbols(frozenset({"AAPL"}))
    states = QuoteStates(coalescer)
    states.replace_states({"AAPL": "stale"})
    coalescer.queue_newest_ticks([quote("AAPL")], now())
    assert states.state_of_document("AAPL") == "live"


async def test_a_halt_counts_from_its_arrival_to_that_of_its_end() -> None:
    states = QuoteStates(Coalescer())
    states.apply_halts([halt("AAPL", halted=True), halt("MSFT", halted=True)])
    states.apply_halts([halt("MSFT", halted=False)])
    assert [states.is_halted(symbol) for symbol in ("AAPL", "MSFT")] == [True, False]


async def test_a_halt_does_not_change_the_states_that_were_given() -> None:
    states = QuoteStates(Coalescer())
    given: dict[str, QuoteState] = {}
    states.replace_states(given)
    states.apply_halts([halt("AAPL", halted=True)])
    assert given == {}
