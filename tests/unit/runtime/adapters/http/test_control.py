from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sluice_contract.pause_status import PauseSource
from sluice_runtime.adapters.http.api import create_http_application
from sluice_runtime.adapters.http.bearer_token import RequestCheck, create_token_check
from sluice_runtime.adapters.http.control import control_routes, refusal_unless_local
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.reload_report import FileReading, ReloadReport
from sluice_runtime.ports import RequestRefusedError, StartRequest
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import runtime_state, runtime_view

REAL_TIME = True
TOKEN = "sesame-sesame"


class FakeControls:
    """Controls that remember the requests and return what the test sets."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.in_time = True
        self.others: tuple[str, ...] = ()
        self.refusal: RequestRefusedError | None = None
        self.problem: str | None = None

    async def pause_job(self, reason: str | None) -> bool:
        self.asked.append(("stop", reason))
        return self.in_time

    async def resume_job(self, wishes: StartRequest) -> tuple[str, ...]:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(("start", wishes))
        return self.others

    async def reload(self) -> ReloadReport:
        self.asked.append("reload")
        files = (
            FileReading(file="/enabled", content="off"),
            FileReading(file="job.yaml", content="unchanged", problem=self.problem),
        )
        return ReloadReport(files=files, effect="the job is paused by file:/enabled")


class World:
    """An HTTP interface that allows the requests that `guard` allows."""

    def __init__(self, runtime: RuntimeState) -> None:
        self.runtime = runtime
        self.controls = FakeControls()
        self.guard: RequestCheck = lambda _: None
        self.client: TestClient[Any, Any]

    async def post(self, name: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        async with self.client.post(f"/runtime/ingest/{name}", json=body, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(runtime_state())

    def guard(request: web.Request) -> str | None:
        return made.guard(request)

    view = runtime_view(made.runtime)
    routes = control_routes(made.controls, view, guard)
    async with TestClient(TestServer(create_http_application(view, routes))) as made.client:
        yield made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


async def test_stop_answers_with_the_acknowledgement(world: World) -> None:
    world.runtime.desired.set(with_pause(world.runtime.desired.value, PauseInForce(source="api")))
    world.runtime.stream.on_state("Paused")
    world.runtime.stream.acknowledge_pause(world.runtime.sink_health.last_write_at)
    status, answer = await world.post("stop", {"reason": "bad prints"})
    assert (status, answer["state"], answer["pausedBy"]) == (200, "Paused", ["api"])
    assert answer["pause"]["acknowledgedAt"]
    assert world.controls.asked == [("stop", "bad prints")]


async def test_a_stop_that_is_not_carried_out_in_time_is_reported(world: World) -> None:
    world.controls.in_time = False
    status, answer = await world.post("stop")
    assert status == 504
    assert "has not acknowledged it yet" in answer["error"]
    assert (answer["state"], answer["pausedBy"]) == ("Stopped", [])


async def test_every_field_of_a_start_request_is_optional(world: World) -> None:
    assert (await world.post("start"))[0] == 200
    await world.post("start", {"provider": "synthetic", "symbols": ["SPY"], "dry_run": True})
    wishes = StartRequest(provider="synthetic", symbols=["SPY"], dry_run=True)
    assert world.controls.asked == [("start", StartRequest()), ("start", wishes)]


async def test_start_names_every_other_switch_that_pauses(world: World) -> None:
    world.controls.others = ("spec.enabled", "autoStop")
    pause = PauseInForce(source="spec.enabled", others=(PauseSource(source="autoStop"),))
    world.runtime.desired.set(with_pause(world.runtime.desired.value, pause))
    world.runtime.stream.on_state("Paused")
    status, answer = await world.post("start")
    assert (status, answer["state"], answer["pausedBy"]) == (409, "Paused", ["spec.enabled", "autoStop"])
    assert answer["error"].startswith("the switch api is on, but spec.enabled and autoStop still pause the job")


async def test_reload_answers_with_the_status_the_files_and_the_effect(world: World) -> None:
    status, answer = await world.post("reload")
    assert (status, answer["state"], answer["pausedBy"]) == (200, "Stopped", [])
    assert answer["reload"] == {
        "files": [{"file": "/enabled", "content": "off"}, {"file": "job.yaml", "content": "unchanged"}],
        "effect": "the job is paused by file:/enabled",
    }
    assert world.controls.asked == ["reload"]


async def test_a_reload_with_a_problem_also_answers_with_what_was_read(world: World) -> None:
    world.controls.problem = "job.yaml is not a YAML document; the last version stays in force"
    status, answer = await world.post("reload")
    assert status == 422
    assert answer["error"] == f"{world.controls.problem}; the job is paused by file:/enabled"
    assert [each["content"] for each in answer["reload"]["files"]] == ["off", "unchanged"]
    assert (answer["state"], answer["pausedBy"]) == ("Stopped", [])


async def test_a_rejected_start_is_answered_with_a_message(world: World) -> None:
    world.controls.refusal = RequestRefusedError("in a cluster the IngestJob decides: patch it")
    assert await world.post("start") == (422, {"error": "in a cluster the IngestJob decides: patch it"})


@pytest.mark.parametrize("body", [b"\xff", b'{"reason": "\xff"}', b"{", b"\xff\xfe{}"])
async def test_a_body_that_is_not_json_is_reported(world: World, body: bytes) -> None:
    async with world.client.post("/runtime/ingest/stop", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"].startswith("/runtime/ingest/stop does not accept this body: ")
    assert world.controls.asked == []


@pytest.mark.parametrize("body", [[], {"symbol": ["SPY"]}, {"symbols": "SPY"}])
async def test_an_invalid_body_is_reported_with_the_place_of_the_error(world: World, body: Any) -> None:
    status, answer = await world.post("start", body)
    assert status == 400
    assert answer["error"].startswith("/runtime/ingest/start does not accept this body: ")


@pytest.mark.parametrize("action", ["stop", "start", "reload"])
async def test_requests_without_the_token_change_nothing(world: World, secret: Path, action: str) -> None:
    world.guard = create_token_check(secret)
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer "},
    )
    for headers in (*wrong, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer ü"}):
        status, answer = await world.post(action, **headers)
        assert status == 403
        assert answer["error"].startswith("POST needs the header Authorization: Bearer TOKEN")
    assert world.controls.asked == []


async def test_requests_with_the_token_are_carried_out_and_it_is_not_logged(
    world: World, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world.guard = create_token_check(secret)
    assert (await world.post("stop", Authorization=f"Bearer {TOKEN}"))[0] == 200
    assert (await world.post("stop", Authorization=f"Bearer {TOKEN}x"))[0] == 403
    assert TOKEN not in caplog.text


async def test_on_one_machine_programs_are_allowed_and_web_pages_are_not(world: World) -> None:
    world.guard = refusal_unless_local
    assert (await world.post("stop"))[0] == 200
    assert (await world.post("stop", Origin="https://example.com"))[0] == 403
    assert (await world.post("stop", Host="rebound.example.com:8080"))[0] == 403
    assert len(world.controls.asked) == 1
