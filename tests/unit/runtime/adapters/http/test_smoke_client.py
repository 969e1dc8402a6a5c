import asyncio
from pathlib import Path

import pytest

from sluice_runtime.adapters.http.smoke_client import SmokeClient
from sluice_runtime.domain.failure import StreamError
from support.answering_runtime import AnsweringRuntime

REAL_TIME = True
TOKEN = "sesame-sesame"


@pytest.fixture
async def runtime(monkeypatch: pytest.MonkeyPatch) -> AnsweringRuntime:
    monkeypatch.setattr("sluice_runtime.adapters.http.smoke_client._POLL_SECONDS", 0.0)
    return AnsweringRuntime()


async def walked(runtime: AnsweringRuntime, seconds: float = 5.0) -> tuple[str | None, list[str]]:
    """Run the smoke test; return its failure and the printed lines."""
    said: list[str] = []
    async with runtime.answering() as url:
        return await asyncio.to_thread(SmokeClient(url, None).run_steps, seconds, said.append), said


async def test_each_step_is_printed_and_the_stream_is_left_stopped(runtime: AnsweringRuntime) -> None:
    runtime.snapshots_until_live = 3
    failure, said = await walked(runtime)
    assert failure is None
    assert [line.partition(" after ")[0] for line in said] == [
        "status: Stopped",
        "reload: done",
        "dry start: live",
        "stop: acknowledged",
    ]
    assert runtime.asked == ["reload", "start: True", "stop: smoke", "reload"]
    assert runtime.runtime.stream.state == "Paused"


async def test_a_stream_that_does_not_become_live_is_reported_with_its_failure(runtime: AnsweringRuntime) -> None:
    runtime.failure = StreamError("auth", "check the key")
    failure, said = await walked(runtime, 0.0)
    assert failure == "the stream is BackingOff after 0 s: check the key"
    assert said[-1] == "reload: done"


async def test_a_slow_stream_is_reported_without_a_failure(runtime: AnsweringRuntime) -> None:
    runtime.snapshots_until_live = 1000
    failure, _ = await walked(runtime, 0.0)
    assert failure == "the stream is Connecting after 0 s: the status has no failure"


async def test_a_stream_that_writes_in_a_dry_run_fails_the_smoke_test(runtime: AnsweringRuntime) -> None:
    runtime.obeys_dry_run = False
    failure, _ = await walked(runtime, 0.0)
    assert failure == "the stream is Live after 0 s: the status has no failure"


async def test_other_pausing_sources_are_reported_as_in_the_answer(runtime: AnsweringRuntime) -> None:
    runtime.others = ("env:INGEST_ENABLED",)
    failure, _ = await walked(runtime)
    assert failure is not None
    assert failure.startswith("start returned HTTP 409: ")
    assert "env:INGEST_ENABLED still pauses" in failure


async def test_an_unreadable_document_ends_the_smoke_test_before_the_stream_is_changed(
    runtime: AnsweringRuntime,
) -> None:
    runtime.problem = "job.yaml is not a YAML document"
    failure, _ = await walked(runtime)
    assert failure is not None
    assert failure.startswith('reload returned HTTP 422: {"error":"job.yaml is not a YAML document; the stream')
    assert runtime.asked == ["reload"]


async def test_a_stop_without_effect_is_reported(runtime: AnsweringRuntime) -> None:
    runtime.obeys_stop = False
    failure, said = await walked(runtime)
    assert failure == "stop responded while the stream is Live; it must be Paused"
    assert "stop: acknowledged" not in said


async def test_a_configured_token_is_required(runtime: AnsweringRuntime, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    async with runtime.answering(tmp_path / "token") as url:
        without = await asyncio.to_thread(SmokeClient(url, None).run_steps, 5.0, print)
        assert without is not None
        assert without.startswith("reload returned HTTP 403: ")
        assert await asyncio.to_thread(SmokeClient(url, TOKEN).run_steps, 5.0, print) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "localhost", "127.0.0.1:8080"])
def test_an_unreachable_address_is_reported(url: str) -> None:
    failure = SmokeClient(url, None).run_steps(5.0, print)
    assert failure is not None
    assert failure.startswith(f"{url}/runtime/ingest/status does not answer: ")
    assert "<urlopen" not in failure
    assert "; start the runtime, or name its address, such as --base-url http://" in failure


@pytest.mark.parametrize("answer", [b"SSH-2.0-other\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b""])
async def test_a_server_that_is_not_a_runtime_is_reported(answer: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        failure = await asyncio.to_thread(SmokeClient(url, None).run_steps, 5.0, print)
    assert failure is not None
    assert "does not answer: " in failure
