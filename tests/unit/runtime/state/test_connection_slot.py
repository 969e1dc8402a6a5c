from sluice_contract.status import ConnectionSlotStatus
from sluice_runtime.state.connection_slot import ConnectionSlotState
from sluice_runtime.state.instruments import Transitions

WAITING = ConnectionSlotStatus(acquired=False, holder="other")


async def test_only_a_change_of_the_slot_is_reported_at_once() -> None:
    transitions = Transitions()
    slot = ConnectionSlotState(transitions)
    assert [slot.set_status(status) for status in (None, WAITING, WAITING, None)] == [False, True, False, True]
    assert (slot.status, transitions.value) == (None, 2)
