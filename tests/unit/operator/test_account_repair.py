"""The repair of ServiceAccounts and RoleBindings, on a fake cluster and a clock that the tests advance."""

from __future__ import annotations

import asyncio

import pytest

from sluice_operator.account_repair import (
    INTACT_SECONDS,
    LAST_BACKOFF_SECONDS,
    MOST_AT_ONCE,
    AccountRepair,
    WatchedAccounts,
)
from sluice_operator.domain.account_objects import AccountObject
from sluice_operator.ports import NotLeading, RequestRefused, Unavailable

from .world import KEY, SYNTHETIC, World, declared

NAMESPACE = KEY[0]
GONE = AccountObject(NAMESPACE, True)


class Repaired:
    """A world whose objects of accounts are watched. `failure` is raised by each request for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failure: Exception | None = None
        self.repair = AccountRepair(self, world.store, lambda: world.seconds)  # type: ignore[arg-type]
        self.watched = WatchedAccounts("", world.store, self.repair.request)
        self.applied_at: list[float] = []

    async def apply_account_and_role_binding(self, namespace: str) -> None:
        self.applied_at.append(self.world.seconds)
        if self.failure is not None:
            raise self.failure
        await self.world.cluster.apply_account_and_role_binding(namespace)

    async def advance(self, seconds: float) -> None:
        """Advance the time in steps of half a second, with the due repairs of each."""
        for _ in range(int(seconds * 2)):
            self.world.seconds += 0.5
            await self.repair.repair_due_namespaces()


@pytest.fixture
async def repaired() -> Repaired:
    world = await declared(World())
    assert world.store.namespaces_with_account == {NAMESPACE}
    return Repaired(world)


async def test_a_deleted_object_is_applied_again_at_once(repaired: Repaired) -> None:
    repaired.world.cluster.accounts.clear()
    repaired.watched.remove(GONE)
    await repaired.repair.repair_due_namespaces()
    assert (repaired.world.cluster.accounts, repaired.applied_at) == ({NAMESPACE}, [0.0])


async def test_an_object_that_a_list_lacks_is_applied_again(repaired: Repaired) -> None:
    repaired.watched.replace_all([AccountObject("another", True)])
    await repaired.repair.repair_due_namespaces()
    assert repaired.applied_at == [0.0]


async def test_a_changed_object_is_applied_again(repaired: Repaired) -> None:
    repaired.watched.put(AccountObject(NAMESPACE, False))
    await repaired.repair.repair_due_namespaces()
    assert repaired.applied_at == [0.0]


async def test_intact_objects_and_those_of_other_namespaces_are_left_alone(repaired: Repaired) -> None:
    repaired.watched.put(GONE)
    repaired.watched.replace_all([GONE])
    repaired.watched.remove(AccountObject("another", True))
    WatchedAccounts("another", repaired.world.store, repaired.repair.request).replace_all([])
    await repaired.advance(5)
    assert repaired.applied_at == []


async def test_a_client_that_deletes_again_and_again_causes_ever_fewer_creations(repaired: Repaired) -> None:
    for _ in range(7200):
        repaired.watched.remove(GONE)
        await repaired.advance(0.5)
    waits = [later - earlier for earlier, later in zip(repaired.applied_at, repaired.applied_at[1:], strict=False)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LAST_BACKOFF_SECONDS
    assert len(waits) == 19  # in an hour


async def test_the_backoff_ends_when_the_objects_stay(repaired: Repaired) -> None:
    for _ in range(6):
        repaired.watched.remove(GONE)
        await repaired.advance(40)
    await repaired.advance(INTACT_SECONDS)
    at, before = repaired.world.seconds, len(repaired.applied_at)
    repaired.watched.remove(GONE)
    await repaired.repair.repair_due_namespaces()
    assert repaired.applied_at[before:] == [at]


async def test_a_failed_repair_is_tried_again_when_the_api_server_wants_it(repaired: Repaired) -> None:
    repaired.failure = Unavailable("try later", retry_after=7)
    repaired.watched.remove(GONE)
    await repaired.repair.repair_due_namespaces()
    repaired.failure = None
    await repaired.advance(10)
    assert repaired.applied_at == [0.0, 7.0]


async def test_a_namespace_that_is_being_deleted_gets_one_request_at_most(repaired: Repaired) -> None:
    message = "forbidden: unable to create new content in namespace acme because it is being terminated"
    repaired.failure = RequestRefused(message)
    for _ in range(10):
        repaired.watched.remove(GONE)
        await repaired.advance(10)
    assert repaired.applied_at == [0.5]


async def test_a_namespace_without_jobs_gets_nothing(repaired: Repaired) -> None:
    repaired.world.cluster.remove(KEY)
    repaired.watched.remove(GONE)
    await repaired.advance(10)
    assert repaired.applied_at == []


async def test_a_replica_that_no_longer_leads_does_not_try_again(repaired: Repaired) -> None:
    repaired.failure = NotLeading("no")
    repaired.watched.remove(GONE)
    await repaired.advance(60)
    assert repaired.applied_at == [0.5]


async def test_a_pod_that_was_refused_meanwhile_is_created_after_the_repair(repaired: Repaired) -> None:
    world = repaired.world
    world.cluster.accounts.clear()
    world.cluster.finish(KEY)
    world.cluster.refusal = "service account sluice-ingest not found"
    await world.settle()
    assert not world.cluster.pods
    world.cluster.refusal = ""
    repaired.repair.request(NAMESPACE)
    world.store.namespaces_with_account.add(NAMESPACE)
    repaired.watched.remove(GONE)
    await repaired.repair.repair_due_namespaces()
    await world.settle()
    assert len(world.cluster.pods) == 1


async def test_many_namespaces_are_repaired_a_few_at_a_time() -> None:
    world = World()
    names = [f"tenant-{number}" for number in range(20)]
    for name in names:
        world.cluster.declare((name, "feed"), SYNTHETIC)
    await world.settle()
    at_once: list[int] = []
    running = 0

    class Slow:
        async def apply_account_and_role_binding(self, _: str) -> None:
            nonlocal running
            running += 1
            at_once.append(running)
            await asyncio.sleep(0)
            running -= 1

    repair = AccountRepair(Slow(), world.store, lambda: 0.0)  # type: ignore[arg-type]
    world.store.namespaces_with_account.update(names)
    WatchedAccounts("", world.store, repair.request).replace_all([])
    await repair.repair_due_namespaces()
    assert (len(at_once), max(at_once)) == (len(names), MOST_AT_ONCE)


async def test_a_request_wakes_the_repairs(repaired: Repaired) -> None:
    running = asyncio.create_task(repaired.repair.run())
    await asyncio.sleep(0)
    repaired.watched.remove(GONE)
    for _ in range(10):
        await asyncio.sleep(0)
    running.cancel()
    assert repaired.applied_at == [0.0]
