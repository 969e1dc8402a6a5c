import asyncio

from sluice_operator.adapters.page_turn import PageTurn
from support.eventually import eventually


async def test_pages_are_read_one_after_the_other() -> None:
    turn, read = PageTurn(), list[str]()

    async def read_page(name: str) -> None:
        async with turn.take():
            read.append(f"{name} begins")
            await asyncio.sleep(0)
            read.append(f"{name} ends")

    await asyncio.gather(read_page("a"), read_page("b"))
    assert read == ["a begins", "a ends", "b begins", "b ends"]
    assert not turn.is_taken


async def test_a_page_that_hangs_does_not_hold_up_the_others() -> None:
    turn = PageTurn(longest_wait_seconds=0.01)
    async with turn.take():
        async with turn.take():
            assert turn.is_taken
        assert turn.is_taken  # by the first page, which has not come
    assert not turn.is_taken


async def test_a_cancelled_page_gives_its_turn_back() -> None:
    turn = PageTurn()
    async with turn.take():
        waiting = asyncio.create_task(_take(turn))
        await eventually(lambda: turn.waiting == 1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert turn.waiting == 0
    assert not turn.is_taken


async def _take(turn: PageTurn) -> None:
    async with turn.take():
        pass
