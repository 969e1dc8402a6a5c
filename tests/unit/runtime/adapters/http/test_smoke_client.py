import asyncio
from pathlib import Path

import pytest

from sluice_runtime.adapters.http.smoke_client import SmokeClient
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.ports import RequestRefusedError
from support.answering_runtime import AnsweringRuntime

REAL_TIME = True
TOKEN = "sesame-sesame"


@pytest.fixture
async def runtime(monkeypatch: pytest.MonkeyPatch) -> AnsweringRuntime:
    monkeypatch.setattr("sluice_runtime.adapters.http.smoke_client._LOOK_SECONDS", 0.0)
    return AnsweringRuntime()


async def walked(runtime: AnsweringRuntime, seconds: float = 5.0) -> tuple[str | None, list[str]]:
    """What went wrong, and what was said meanwhile."""
    said: list[str] = []
    async with runtime.answering() as url:
        return await asyncio.to_thread(SmokeClient(url, None).run_steps, seconds, said.append), said


async def test_each_step_is_said_and_the_stream_is_left_stopped(runtime: AnsweringRuntime) -> None:
    runtime.looks_until_live = 3
    failure, said = await walked(runtime)
    assert failure is None
    assert [line.partition(" after ")[0] for line in said] == [
        "status: Stopped",
        "reload: done",
        "dry start: live",
        "stop: acknowledged",
    ]
    assert runtime.asked == ["reload", "start: True", "stop: smoke", "reload"]
    assert runtime.book.state == "Paused"


async def test_a_stream_that_does_not_become_live_is_told_with_its_failure(runtime: AnsweringRuntime) -> None:
    runtime.failure = StreamError("auth", "check the key")
    failure, said = await walked(runtime, 0.0)
    assert failure == "the stream is BackingOff after 0 s: check the key"
    assert said[-1] == "reload: done"


async def test_a_stream_that_is_only_slow_has_no_failure_to_tell(runtime: AnsweringRuntime) -> None:
    runtime.looks_until_live = 1000
    failure, _ = await walked(runtime, 0.0)
    assert failure == "the stream is Connecting after 0 s: the status has no failure"


async def test_a_stream_that_writes_although_it_shall_not_is_no_dry_start(runtime: AnsweringRuntime) -> None:
    runtime.heeds_dry_run = False
    failure, _ = await walked(runtime, 0.0)
    assert failure == "the stream is Live after 0 s: the status has no failure"


async def test_what_still_pauses_is_told_in_the_words_of_the_answer(runtime: AnsweringRuntime) -> None:
    runtime.others = ("env:INGEST_ENABLED",)
    failure, _ = await walked(runtime)
    assert failure is not None
    assert failure.startswith("start returned HTTP 409: ")
    assert "env:INGEST_ENABLED still pauses" in failure


async def test_a_document_that_cannot_be_read_ends_the_walk_before_the_stream_is_touched(
    runtime: AnsweringRuntime,
) -> None:
    runtime.unreadable = RequestRefusedError("job.yaml is no YAML document")
    failure, _ = await walked(runtime)
    assert failure == 'reload returned HTTP 422: {"error":"job.yaml is no YAML document"}'
    assert runtime.asked == ["reload"]


async def test_a_stop_that_stops_nothing_is_told(runtime: AnsweringRuntime) -> None:
    runtime.heeds_stop = False
    failure, said = await walked(runtime)
    assert failure == "stop responded while the stream is Live; it must be Paused"
    assert "stop: acknowledged" not in said


async def test_where_there_is_a_token_it_is_needed(runtime: AnsweringRuntime, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    async with runtime.answering(tmp_path / "token") as url:
        without = await asyncio.to_thread(SmokeClient(url, None).run_steps, 5.0, print)
        assert without is not None
        assert without.startswith("reload returned HTTP 403: ")
        assert await asyncio.to_thread(SmokeClient(url, TOKEN).run_steps, 5.0, print) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "localhost", "127.0.0.1:8080"])
def test_where_nothing_answers_the_address_is_told(url: str) -> None:
    failure = SmokeClient(url, None).run_steps(5.0, print)
    assert failure is not None
    assert failure.startswith(f"{url}/runtime/ingest/status does not answer: ")


@pytest.mark.parametrize("answer", [b"SSH-2.0-other\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b""])
async def test_what_is_no_runtime_is_told(answer: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        failure = await asyncio.to_thread(SmokeClient(url, None).run_steps, 5.0, print)
    assert failure is not None
    assert "does not answer: " in failure
