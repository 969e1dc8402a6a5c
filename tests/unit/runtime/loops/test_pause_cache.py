import asyncio
from collections.abc import Callable

from sluice_contract.identity import CLUSTER_PAUSES, PAUSES
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.pause_objects import KnownPauses, PauseObject, PausesOfKind
from sluice_runtime.loops.pause_cache import PauseCache
from sluice_runtime.state.pause_states import PauseStates
from support.virtual_time import at, settle

SOME = PausesOfKind(pauses=(PauseObject(source="pause:x", reason="vendor"),))
STORED = KnownPauses(of_namespace=SOME)


class FakeStore:
    def __init__(self, stored: KnownPauses | None = None) -> None:
        self.stored = stored
        self.written: list[KnownPauses] = []

    def read(self) -> KnownPauses | None:
        return self.stored

    def write(self, pauses: KnownPauses) -> None:
        self.written.append(pauses)


async def run_now(work: Callable[[], None]) -> None:
    work()


def started(store: FakeStore) -> tuple[PauseStates, asyncio.Task[None]]:
    states = PauseStates(lambda _: None)
    cache = PauseCache(states, store, run_now)
    cache.restore()
    return states, asyncio.create_task(cache.run())


async def test_a_first_start_waits_for_the_api_server_however_long_that_takes() -> None:
    states, task = started(FakeStore())
    await at(600)
    assert not states.value.are_read
    await cancel_and_wait(task)


async def test_a_restart_without_the_api_server_continues_with_the_stored_pauses_after_5_s() -> None:
    states, task = started(FakeStore(STORED))
    await at(4.9)
    assert not states.value.are_read
    assert states.value.of_namespace.pauses == SOME.pauses
    await at(5.1)
    assert states.value == STORED
    await cancel_and_wait(task)


async def test_each_change_is_stored_once_all_kinds_are_read() -> None:
    store = FakeStore(STORED)
    states, task = started(store)
    states.set_pauses(PAUSES, PausesOfKind())
    await settle()
    assert store.written == []
    states.set_pauses(CLUSTER_PAUSES, PausesOfKind())
    await settle()
    states.set_pauses(PAUSES, SOME)
    await settle()
    assert store.written == [KnownPauses(), STORED]
    await cancel_and_wait(task)
