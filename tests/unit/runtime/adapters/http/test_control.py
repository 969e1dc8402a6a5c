from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sluice_runtime.adapters.http.api import create_http_application
from sluice_runtime.adapters.http.control import RequestCheck, control_routes, create_token_check, refusal_unless_local
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.reload_report import FileReading, ReloadReport
from sluice_runtime.loops.journal import Journal
from sluice_runtime.ports import RequestRefusedError, StartRequest
from support.encodings import ENCODINGS, UNREADABLE, Encode, save
from support.runtime_fakes import journal

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

    def __init__(self, book: Journal) -> None:
        self.book = book
        self.controls = FakeControls()
        self.guard: RequestCheck = lambda _: None
        self.client: TestClient[Any, Any]

    async def post(self, name: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        async with self.client.post(f"/runtime/ingest/{name}", json=body, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(journal())

    def guard(request: web.Request) -> str | None:
        return made.guard(request)

    routes = control_routes(made.controls, made.book, guard)
    async with TestClient(TestServer(create_http_application(made.book, routes))) as made.client:
        yield made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


async def test_stop_answers_with_the_acknowledgement(world: World) -> None:
    world.book.desired.set(with_pause(world.book.desired.value, PauseInForce(source="api")))
    world.book.on_state("Paused")
    world.book.acknowledge_pause()
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
    world.controls.others = ("cr:acme/us", "autoStop")
    paused = with_pause(world.book.desired.value, PauseInForce(source="cr:acme/us"))
    world.book.desired.set(msgspec.structs.replace(paused, switches=world.controls.others))
    world.book.on_state("Paused")
    status, answer = await world.post("start")
    assert (status, answer["state"], answer["pausedBy"]) == (409, "Paused", ["cr:acme/us", "autoStop"])
    assert answer["error"].startswith("the switch api is on, but cr:acme/us and autoStop still pause the job")


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


@pytest.mark.parametrize("given", ["\udcff", "\x00", "t" * 8000], ids=["a byte", "null", "long"])
def test_a_token_of_odd_characters_is_a_wrong_token(secret: Path, given: str) -> None:
    request = SimpleNamespace(headers={"Authorization": f"Bearer {given}"})  # aiohttp decodes any byte
    found = create_token_check(secret)(cast("web.Request", request))
    assert found is not None
    assert found.startswith("POST needs the header Authorization: Bearer TOKEN")


async def test_requests_with_the_token_are_carried_out_and_it_is_not_logged(
    world: World, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world.guard = create_token_check(secret)
    assert (await world.post("stop", Authorization=f"Bearer {TOKEN}"))[0] == 200
    assert (await world.post("stop", Authorization=f"Bearer {TOKEN}x"))[0] == 403
    assert TOKEN not in caplog.text


async def test_a_rotated_token_is_used_at_once(world: World, tmp_path: Path) -> None:
    world.guard = create_token_check(tmp_path / "token")
    status, answer = await world.post("stop", Authorization="Bearer ")
    assert (status, answer["error"][:46]) == (403, "the Secret of spec.http.tokenSecretRef is miss")
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token)
        assert (await world.post("stop", Authorization=f"Bearer {token}"))[0] == 200


async def test_without_a_token_the_interface_is_read_only(world: World) -> None:
    world.guard = create_token_check(None)
    status, answer = await world.post("stop", Authorization="Bearer ")
    assert (status, answer["error"][:31]) == (403, "this interface is read-only; na")


async def test_on_one_machine_programs_are_allowed_and_web_pages_are_not(world: World) -> None:
    world.guard = refusal_unless_local
    assert (await world.post("stop"))[0] == 200
    assert (await world.post("stop", Origin="https://example.com"))[0] == 403
    assert (await world.post("stop", Host="rebound.example.com:8080"))[0] == 403
    assert len(world.controls.asked) == 1


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("given", [TOKEN, "\ufeff" + TOKEN], ids=["plain", "as the file has it"])
async def test_the_token_is_the_same_in_every_encoding(world: World, secret: Path, encode: Encode, given: str) -> None:
    save(secret, encode(TOKEN + "\r\n"))
    world.guard = create_token_check(secret)
    assert (await world.post("stop", Authorization=f"Bearer {given}"))[0] == 200
    assert (await world.post("stop", Authorization="Bearer other"))[0] == 403


@pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)
async def test_a_token_in_another_encoding_allows_no_request_and_the_error_names_it(
    world: World, secret: Path, name: str, content: bytes
) -> None:
    save(secret, content)
    world.guard = create_token_check(secret)
    status, answer = await world.post("stop", Authorization="Bearer off")
    assert status == 403
    assert "the key token of the Secret of spec.http.tokenSecretRef cannot be read: it" in answer["error"]
    assert name in answer["error"]
