"""Two jobs and one slot: a supervisor with a fake provider, and another job that may hold the slot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice_contract.status import ConnectionSlotStatus
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.slot import SlotClaim
from sluice_runtime.loop_wiring import supervisor_parts
from sluice_runtime.loops.slot import ConnectionSlotLease
from sluice_runtime.loops.supervisor import Supervisor
from support.fake_slot import FakeSlotPort
from support.runtime_fakes import runtime_state
from support.runtime_worlds import SupervisedWorld
from support.virtual_time import at, now, seconds


class World(SupervisedWorld):
    """A supervised job `us` whose provider allows one connection."""

    def __init__(self) -> None:
        super().__init__(runtime_state())
        self.port = FakeSlotPort()
        self.key_digest: str | None = None
        self.slot = ConnectionSlotLease(self.port, "us", self.runtime.slot, now, lambda: self.key_digest)
        backoff = Backoff(1.0, 60.0, lambda _, high: high)
        self.supervisor = Supervisor(self.source, self.flusher, supervisor_parts(self.runtime), backoff, self.slot)

    def others(self) -> None:
        """Claim or renew the slot for another job."""
        version = self.port.claim.version if self.port.claim else "0"
        self.port.claim = SlotClaim(holder="other", renewed_at=now(), version=f"{version}.")

    @asynccontextmanager
    async def other_job(self) -> AsyncIterator[None]:
        """Let another job renew its claim every 10 s."""

        async def renew() -> None:
            while True:
                self.others()
                await asyncio.sleep(10)

        task = asyncio.create_task(renew())
        try:
            yield
        finally:
            await cancel_and_wait(task)


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_slot_is_claimed_before_the_connection_is_opened_and_renewed_while_it_is(world: World) -> None:
    async with world.running():
        await at(0.5)
        assert world.port.claim is not None
        assert world.port.claim.holder == "us"
        assert world.runtime.slot.status == ConnectionSlotStatus(acquired=True, holder="us")
        await at(100)
        assert world.port.writes >= 9
        assert len(world.source.attempts) == 1


async def test_the_digest_of_the_key_is_reported_with_the_slot_and_follows_a_rotation(world: World) -> None:
    world.key_digest = "3f2a"
    async with world.running():
        await at(0.5)
        assert world.runtime.slot.status == ConnectionSlotStatus(acquired=True, holder="us", key_digest="3f2a")
        world.key_digest = "9b01"
        await at(11)
        assert world.runtime.slot.status == ConnectionSlotStatus(acquired=True, holder="us", key_digest="9b01")
        world.pause()
        await at(12)
        assert world.runtime.snapshot().slot is None


async def test_a_job_waits_as_long_as_another_renews_and_names_it(world: World) -> None:
    async with world.other_job(), world.running():
        await at(3600)
        assert world.source.attempts == []
        assert world.port.is_user
        assert world.runtime.snapshot().slot == ConnectionSlotStatus(acquired=False, holder="other")


@pytest.mark.parametrize("pause_at", [0.1, 10.1])
async def test_a_claim_in_flight_when_a_pause_comes_is_also_released(world: World, pause_at: float) -> None:
    world.port.seconds = 0.2
    async with world.running():
        await at(pause_at)
        world.pause()
        await at(pause_at + 1)
        assert world.runtime.stream.state == "Paused"
        assert world.port.claim is not None
        assert world.port.claim.holder == ""


async def test_a_released_slot_is_taken_within_seconds(world: World) -> None:
    async with world.running():
        world.others()
        await at(9)
        assert world.port.claim is not None
        world.port.claim = SlotClaim(holder="", version=world.port.claim.version)
        await at(13)
        assert world.runtime.stream.state == "Live"


async def test_a_slot_whose_holder_is_gone_is_taken_after_a_minute(world: World) -> None:
    async with world.other_job(), world.running():
        await at(95)
    began = seconds()
    async with world.running():
        await at(began + 50)
        assert world.source.attempts == []
        await at(began + 70)
        assert world.runtime.stream.state == "Live"


async def test_the_new_pod_of_the_same_job_takes_over_at_once(world: World) -> None:
    world.port.claim = SlotClaim(holder="us", renewed_at=now(), version="4")
    async with world.running():
        await at(0.5)
        assert world.runtime.stream.state == "Live"


async def test_a_pause_releases_the_slot_after_its_acknowledgement(world: World) -> None:
    async with world.running():
        await at(5)
        world.pause()
        await at(6)
        assert world.runtime.stream.state == "Paused"
        assert world.port.claim is not None
        assert world.port.claim.holder == ""
        assert world.runtime.slot.status is None
        world.resume()
        await at(7)
        assert world.port.claim.holder == "us"


async def test_the_next_release_completes_one_that_was_interrupted(world: World) -> None:
    await world.slot.acquire()
    world.port.seconds = 1.0
    world.port.away = True
    releasing = asyncio.create_task(world.slot.release())
    await cancel_and_wait(releasing)
    world.port.away = False
    await world.slot.release()
    assert world.port.claim is not None
    assert world.port.claim.holder == ""


async def test_a_pause_while_waiting_for_the_slot_leaves_it_to_the_other(world: World) -> None:
    async with world.other_job(), world.running():
        await at(5)
        world.pause()
        await at(8)
        assert world.runtime.stream.state == "Paused"
        assert world.port.claim is not None
        assert world.port.claim.holder == "other"


async def test_an_expired_claim_is_not_trusted_while_the_api_server_is_unreachable(
    world: World,
) -> None:
    await world.slot.acquire()
    await at(61)
    world.others()
    world.port.away = True
    asking = asyncio.create_task(world.slot.acquire())
    await at(300)
    assert not asking.done()
    await cancel_and_wait(asking)


async def test_a_job_keeps_its_slot_if_the_api_server_was_unreachable_all_the_time(world: World) -> None:
    await world.slot.acquire()
    keeping = asyncio.create_task(world.slot.renew_forever())
    world.port.away = True
    await at(3600)
    await cancel_and_wait(keeping)
    await at(3650)
    await asyncio.wait_for(world.slot.acquire(), 1)


async def test_a_running_stream_keeps_its_slot_while_the_api_server_is_unreachable(world: World) -> None:
    async with world.running():
        await at(5)
        world.port.away = True
        await at(600)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Live", 1)
        world.source.connection.lose(StreamError("upstreamClosed", "closed"))
        await at(700)
        assert (world.runtime.stream.state, len(world.source.attempts)) == ("Live", 2)
        world.pause()
        await at(710)
        assert world.runtime.stream.state == "Paused"


async def test_no_stream_starts_while_the_api_server_is_unreachable(world: World) -> None:
    world.port.away = True
    async with world.running():
        await at(60)
        assert world.source.attempts == []
        world.port.away = False
        await at(65)
        assert world.runtime.stream.state == "Live"


async def test_a_job_that_lost_the_slot_disconnects_and_waits_for_it(world: World) -> None:
    async with world.running():
        await at(5)
        async with world.other_job():
            await at(60)
            assert world.source.open == 0
            assert world.runtime.slot.status == ConnectionSlotStatus(acquired=False, holder="other")
            assert world.runtime.counters.errors == {"connectionLimit": 1}
