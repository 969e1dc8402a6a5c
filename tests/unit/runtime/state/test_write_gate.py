import asyncio
from itertools import product
from typing import get_args

import pytest

from sluice_runtime.state.write_gate import GATE_TRANSITIONS, GateEvent, GateState, WriteGate

# How to reach each state.
PATHS: dict[GateState, tuple[GateEvent, ...]] = {
    "OPEN": (),
    "DRAINING": ("drain",),
    "ABANDONED": ("drain", "abandon"),
    "CLOSED": ("drain", "abandon", "close"),
}
# One row for each state: the state after drain, abandon, close and reopen; None where this is not possible.
TABLE: dict[GateState, tuple[GateState | None, ...]] = {
    "OPEN": ("DRAINING", None, None, None),
    "DRAINING": ("DRAINING", "ABANDONED", None, None),
    "ABANDONED": ("ABANDONED", "ABANDONED", "CLOSED", None),
    "CLOSED": ("CLOSED", None, None, "OPEN"),
}
EVENTS: tuple[GateEvent, ...] = ("drain", "abandon", "close", "reopen")


def gate_in(state: GateState) -> WriteGate:
    gate = WriteGate()
    for event in PATHS[state]:
        gate.apply(event)
    assert gate.state == state
    return gate


@pytest.mark.parametrize(("state", "event"), list(product(TABLE, EVENTS)))
async def test_each_event_in_each_state_has_the_effect_of_the_table(state: GateState, event: GateEvent) -> None:
    gate, after = gate_in(state), TABLE[state][EVENTS.index(event)]
    if after is None:
        with pytest.raises(ValueError, match=f"a write gate that is {state} cannot {event}"):
            gate.apply(event)
    else:
        gate.apply(event)
    assert gate.state == (after or state)


def test_the_table_has_all_states_and_events() -> None:
    assert (set(TABLE), EVENTS) == (set(get_args(GateState)), get_args(GateEvent))
    expected = {(s, e): after for s, row in TABLE.items() for e, after in zip(EVENTS, row, strict=True) if after}
    assert expected == GATE_TRANSITIONS


async def test_only_an_open_gate_lets_writes_start_and_only_a_closed_one_is_closed() -> None:
    gates = [gate_in(state) for state in TABLE]
    assert [(gate.is_open, gate.is_closed) for gate in gates] == [
        (True, False),
        (False, False),
        (False, False),
        (False, True),
    ]


async def test_a_flush_in_flight_ends_when_the_drain_is_abandoned() -> None:
    gate = gate_in("DRAINING")
    waiting = asyncio.create_task(gate.wait_until_abandoned())
    await asyncio.sleep(1)
    assert not waiting.done()
    for event in ("abandon", "drain", "close"):
        gate.apply(event)
    await asyncio.wait_for(waiting, 1)


async def test_a_gate_that_reopens_lets_the_next_flush_run() -> None:
    gate = gate_in("CLOSED")
    gate.apply("reopen")
    waiting = asyncio.create_task(gate.wait_until_abandoned())
    await asyncio.sleep(1)
    assert not waiting.done()
    waiting.cancel()
