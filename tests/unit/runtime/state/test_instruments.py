from sluice_runtime.state.instruments import Instruments, Transitions
from support.virtual_time import now


async def test_each_signal_is_a_new_transition() -> None:
    transitions = Transitions()
    version = transitions.version
    transitions.signal()
    transitions.signal()
    assert (transitions.value, transitions.version) == (2, version + 2)


async def test_each_process_counts_for_itself() -> None:
    first, second = Instruments(now), Instruments(now)
    first.counters.count_start()
    first.transitions.signal()
    assert (second.counters.starts, second.transitions.value) == (0, 0)
