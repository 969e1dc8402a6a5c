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
    await asyncio.sleep(1)
    assert transport.calls == [("pause", 0.0), ("resume", PAUSE_SECONDS)]
    assert not pause.end_early()


async def test_a_pause_that_ends_early_shortens_no_later_one() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    pause.begin()
    await asyncio.sleep(0.01)
    assert pause.end_early()
    pause.begin()
    await asyncio.sleep(1)
    assert transport.calls == [("pause", 0.0), ("resume", 0.01), ("pause", 0.01), ("resume", 0.01 + PAUSE_SECONDS)]


async def test_only_an_own_pause_ends_early_but_a_close_resumes_reading_whatever_has_paused_it() -> None:
    transport = FakeTransport()
    pause = ReadingPause(transport)
    assert not pause.end_early()
    assert transport.calls == []
    pause.end()
    assert transport.calls == [("resume", 0.0)]


async def test_a_closing_or_lost_connection_is_not_paused() -> None:
    transport = FakeTransport()
    transport.closes = True
    ReadingPause(transport).begin()
    assert transport.calls == []
    lost = ReadingPause(None)
    lost.begin()
    lost.end()
    assert not lost.end_early()
