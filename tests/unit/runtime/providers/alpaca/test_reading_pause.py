import asyncio

from sluice_runtime.providers.alpaca.reading_pause import PAUSE_SECONDS, ReadingPause


class FakeTransport(asyncio.ReadTransport):
    """A transport that records when it is paused and resumed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, float]] = []
        self.closes = False

    def is_closing(self) -> bool:
        return self.closes

    def pause_reading(self) -> None:
        self._record("pause")

    def resume_reading(self) -> None:
        self._record("resume")

    def _record(self, what: str) -> None:
        self.calls.append((what, asyncio.get_running_loop().time()))


async def test_a_pause_ends_by_itself() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    pause.begin()
    pause.begin()
    await asyncio.sleep(1)
    assert transport.calls == [("pause", 0.0), ("resume", PAUSE_SECONDS)]


async def test_a_suspension_ends_the_pause_and_the_next_one_has_its_full_length() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    pause.begin()
    await asyncio.sleep(0.01)
    with pause.suspended():
        pause.begin()
        assert transport.calls == [("pause", 0.0), ("resume", 0.01)]
    await asyncio.sleep(1)
    assert transport.calls[2:] == [("pause", 0.01), ("resume", 0.01 + PAUSE_SECONDS)]


async def test_without_a_request_no_pause_follows_a_suspension() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    with pause.suspended():
        pass
    with pause.suspended():
        pause.begin()
    with pause.suspended():
        pass
    assert [what for what, _ in transport.calls] == ["pause", "resume"]


async def test_a_close_resumes_reading_whatever_has_paused_it_and_no_pause_follows() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    with pause.suspended():
        pause.begin()
        pause.end_for_good()
    pause.begin()
    await asyncio.sleep(1)
    assert transport.calls == [("resume", 0.0)]


async def test_a_closing_or_lost_connection_is_not_paused() -> None:
    transport = FakeTransport()
    transport.closes = True
    ReadingPause(transport).begin()
    assert transport.calls == []
    lost = ReadingPause(None)
    lost.begin()
    lost.end_for_good()
