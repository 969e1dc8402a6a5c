from sluice_runtime.domain.counters import Counters
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.standalone import smoke_test_result
from support.runtime_fakes import desired, journal


async def test_a_smoke_test_passes_with_one_write() -> None:
    snapshot = journal().snapshot()
    assert smoke_test_result(snapshot, Counters(writes=1)) == (True, "1 quotes were written to Firestore")


async def test_a_smoke_test_in_a_dry_run_passes_with_one_suppressed_write() -> None:
    snapshot = journal(desired(dryRun=True)).snapshot()
    assert smoke_test_result(snapshot, Counters(suppressed={"dry_run": 3})) == (
        True,
        "3 quotes would have been written",
    )
    assert not smoke_test_result(snapshot, Counters(writes=3))[0]


async def test_a_smoke_test_fails_with_the_reason() -> None:
    book = journal()
    book.record_stream_failure(StreamError("auth", "check the key"))
    book.on_state("Blocked")
    sentence = "no quotes were written to Firestore: the stream is Blocked, check the key"
    assert smoke_test_result(book.snapshot(), Counters()) == (False, sentence)
    book.desired.set(with_pause(desired(), PauseInForce(source="env:INGEST_ENABLED")))
    assert "the job is paused by env:INGEST_ENABLED" in smoke_test_result(book.snapshot(), Counters())[1]
