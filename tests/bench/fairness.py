"""The longest time between two writes of a symbol when all symbols change: the real flusher, in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bench.rows import Row
from sluice_runtime.aio.waiting import cancel_and_wait
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.loop_wiring import create_document_store, create_flusher
from sluice_runtime.loops.write_log import WriteLog
from support.fake_sink import FakeSink
from support.runtime_fakes import desired, quote, runtime_state
from support.virtual_time import VirtualTimeLoop

SYMBOLS = (20, 100, 300, 1000)
WRITES_PER_SECOND = 20
ROUNDS = 12
MOST = 1.05


def rows() -> list[Row]:
    """Return a row for each number of symbols: the longest wait, beside N/W, the time of one round of writes."""
    found = []
    for count in SYMBOLS:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            worst = runner.run(_longest_wait(count))
        least = count / WRITES_PER_SECOND
        ratio = worst / least
        name = f"fairness: longest wait of {count} symbols"
        found.append(
            Row(name=name, unit="s", ours=worst, limit=least, ratio=ratio, target=f"<= {MOST:g}", met=ratio <= MOST)
        )
    return found


async def _longest_wait(count: int) -> float:
    """Return the longest wait in seconds, without the burst at the start and its effects."""
    names = [f"S{number}" for number in range(count)]
    kept = runtime_state(desired(symbols=names))
    sink = FakeSink()
    backoff = Backoff(0.5, 30.0, lambda _, high: high)
    flusher = create_flusher(kept, create_document_store(kept, sink, "bench"), backoff, WriteLog())
    task = asyncio.ensure_future(flusher.run())
    loop, round_seconds = asyncio.get_running_loop(), max(1.0, count / WRITES_PER_SECOND)
    try:
        while loop.time() < ROUNDS * round_seconds:
            kept.stream.on_ticks([quote(name, bid=loop.time() + 1) for name in names])
            await asyncio.sleep(0.1)
    finally:
        await cancel_and_wait(task)
    return max(_waits(sink, after=2 * round_seconds))


def _waits(sink: FakeSink, after: float) -> list[float]:
    moments: dict[str, list[float]] = {}
    for at, batch in sink.writes:
        for each in batch:
            moments.setdefault(each.symbol, []).append(at)
    # A symbol that was written less than twice has waited the whole time.
    end = sink.writes[-1][0]
    return [
        later - earlier for times in moments.values() for earlier, later in pairwise([*times, end]) if earlier >= after
    ]
