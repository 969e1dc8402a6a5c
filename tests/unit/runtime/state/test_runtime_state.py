from datetime import timedelta

from support.runtime_fakes import quote, runtime_state
from support.virtual_time import START, at


async def test_the_first_snapshot_is_stopped_and_empty() -> None:
    snapshot = runtime_state().snapshot()
    assert (snapshot.state, snapshot.last_symbol, snapshot.failure, snapshot.sink_failure) == ("Stopped", *[None] * 3)
    assert (snapshot.clocks.last_message_at, snapshot.freshness) == (None, None)


async def test_a_snapshot_has_what_each_part_knows() -> None:
    runtime = runtime_state()
    runtime.stream.on_state("Live")
    runtime.stream.on_ticks([quote("MSFT")])
    await at(2)
    runtime.sink_health.record_quote_writes(5)
    runtime.sink_health.record_result("heartbeat", "away")
    snapshot = runtime.snapshot()
    assert (snapshot.state, snapshot.last_symbol, snapshot.sink_failure) == ("Live", "MSFT", "away")
    assert snapshot.clocks.last_write_at == snapshot.sink_failing_since == START + timedelta(seconds=2)
