from typing import Any

import pytest

from sluice_contract.symbol_counts import SymbolRejection
from sluice_runtime.adapters.forwarding_listener import ForwardingListener
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.ports import Listener
from support.runtime_fakes import bar, quote
from support.virtual_time import START

EVENTS = sorted(name for name in vars(Listener) if name.startswith("on_"))
REJECTION = SymbolRejection(symbol="X", code=400, message="no")


class RecordingListener:
    """Keeps each call of each method."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_is_passed_on_with_its_arguments(event: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "on_state": ("Live",),
        "on_ticks": ([quote()],),
        "on_bars": ([bar()],),
        "on_provider_time": (ClockReading(earliest=START, latest=START, sent_at=0.0, received_at=0.0),),
        "on_acknowledgement": (frozenset({"A"}), [REJECTION]),
        "on_credentials": (2, None),
        "on_impairment": (None,),
        "on_socket_closed": (),
    }
    passed = arguments.get(event, ([],))
    inner: Any = RecordingListener()
    getattr(ForwardingListener(inner), event)(*passed)
    assert inner.calls == [(event, passed)]
