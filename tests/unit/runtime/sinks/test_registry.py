import sys
from types import ModuleType
from typing import cast

import pytest

from sluice_runtime.destination_ports import Destination
from sluice_runtime.settings import Settings
from sluice_runtime.sinks import registry
from sluice_runtime.state.destination_health import DestinationHealths
from sluice_runtime.state.instruments import Instruments
from support.memory_destination import MemoryDestination
from support.virtual_time import now


def create_memory_destination(settings: Settings | None, healths: DestinationHealths) -> Destination | None:
    return MemoryDestination(healths.health_of("memory")) if settings is not None else None


@pytest.fixture
def memory_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a destination as a new one is added: a module, and a line of the registry."""
    module = ModuleType("sluice_runtime.sinks.memory")
    module.create_destination = create_memory_destination  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "MODULES", ("memory",))


async def test_a_destination_is_created_if_the_job_declares_it(memory_module: None) -> None:
    healths = DestinationHealths(Instruments(now))
    [found] = registry.create_destinations(cast(Settings, object()), healths)
    assert isinstance(found, MemoryDestination)
    assert [each.name for each in healths.reports()] == ["memory"]


async def test_a_destination_that_the_job_does_not_declare_has_no_health(memory_module: None) -> None:
    healths = DestinationHealths(Instruments(now))
    assert registry.create_destinations(cast(Settings, None), healths) == []
    assert healths.reports() == []
