"""kopf's responses: objects are delivered while they are read, and only one page is in memory at a time.

kopf starts a LIST or a watch again after an `aiohttp.ClientPayloadError`. Any other error would end its watcher.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sluice_contract.json_nesting import JSONText
from sluice_operator.adapters.buffered_responses import BufferedResponse
from sluice_operator.adapters.delivering_responses import (
    DAMAGED_LINE_SECONDS,
    Deliver,
    LinesWithoutObjects,
    create_delivering_response_class,
    split_lines,
)
from sluice_operator.adapters.page_turn import PageTurn
from sluice_operator.domain import objects
from sluice_operator.domain.objects import Job
from sluice_operator.domain.reduced_documents import EXPIRED, JOBS, AnyReducedKind
from support.eventually import eventually
from support.web_server import serve_on_free_port

from .test_reduced_documents import JOB_DOCUMENTS, encode

PATH = "/apis/sluice.dev/v1alpha1/ingestjobs"
LARGE = JOB_DOCUMENTS["large"]
PAGE = encode({"kind": "IngestJobList", "metadata": {"continue": "next"}, "items": [LARGE]})


@asynccontextmanager
async def session(
    answer: bytes,
    page_turn: PageTurn | None = None,
    status: int = 200,
    record_sign: Callable[[str], None] = lambda _: None,
    deliver: Deliver = lambda *_: "7",
) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a session of kopf with a server that sends this answer to each GET."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=answer, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    kind = create_delivering_response_class(page_turn or PageTurn(), deliver, record_sign)
    async with serve_on_free_port(app) as url, aiohttp.ClientSession(url, response_class=kind) as found:
        yield found


class Delivered:
    """The objects that were delivered, each with its type of change."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str | None, Job]] = []
        self.expirations = 0

    def __call__(self, kind: AnyReducedKind, change: str | None, text: JSONText) -> str:
        assert kind is JOBS
        if change == EXPIRED:
            self.expirations += 1
            return ""
        self.jobs.append((change, JOBS.decode(text)))
        return str(len(self.jobs))


async def test_the_objects_of_a_page_are_delivered_and_kopf_gets_the_page_without_them() -> None:
    delivered = Delivered()
    async with session(PAGE, deliver=delivered) as kopf, kopf.get(f"{PATH}?limit=50") as response:
        page = await response.json()
    assert page == {"apiVersion": "", "kind": "IngestJobList", "metadata": {"continue": "next"}, "items": []}
    assert delivered.jobs == [(None, objects.decode_job(LARGE))]


async def test_a_page_waits_until_no_other_page_is_in_memory() -> None:
    page_turn = PageTurn()
    async with session(PAGE, page_turn) as kopf, kopf.get(PATH) as response:
        async with page_turn.take():
            reading = asyncio.create_task(response.json())
            await eventually(lambda: page_turn.waiting == 1)
            assert not reading.done()
        assert (await reading)["kind"] == "IngestJobList"
        assert not page_turn.is_taken


async def test_a_watch_shows_that_it_works_when_it_begins_and_with_each_line() -> None:
    signs: list[str] = []
    text = encode({"type": "BOOKMARK", "object": {"metadata": {}}}) + b"\n"
    async with session(text, record_sign=signs.append) as kopf:
        async with kopf.get(f"{PATH}?watch=true") as response:
            assert signs == ["ingestjobs"]
            assert len([line async for line in response.content.iter_chunked(2**20)]) == 1
        assert signs == ["ingestjobs"] * 2
    async with session(text, status=403, record_sign=signs.append) as kopf, kopf.get(f"{PATH}?watch=true"):
        assert signs == ["ingestjobs"] * 2
    async with session(PAGE, record_sign=signs.append) as kopf, kopf.get(PATH) as response:
        await response.json()
    assert signs == ["ingestjobs"] * 2


async def test_the_events_of_a_watch_are_delivered_and_kopf_gets_bookmarks_of_their_versions() -> None:
    events: list[dict[str, Any]] = [{"type": each, "object": LARGE} for each in ("ADDED", "MODIFIED", "DELETED")]
    events += [
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
        {"type": "ERROR", "object": {"code": 410}},
    ]
    text, delivered = b"".join(encode(event) + b"\n" for event in events), Delivered()
    async with session(text, deliver=delivered) as kopf, kopf.get(f"{PATH}?watch=true") as response:
        assert isinstance(response.content, LinesWithoutObjects)
        lines = [json.loads(line) async for line in response.content.iter_chunked(2**20)]
    job = objects.decode_job(LARGE)
    assert delivered.jobs == [("ADDED", job), ("MODIFIED", job), ("DELETED", job)]
    bookmarks = [{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": each}}} for each in ("1", "2", "3")]
    assert lines == [*bookmarks, *events[3:]]
    assert delivered.expirations == 1


async def test_a_damaged_line_ends_the_watch_with_an_error_that_starts_it_again() -> None:
    async with session(b'{"type": "ADDED"\n') as kopf, kopf.get(f"{PATH}?watch=true") as response:
        with pytest.raises(aiohttp.ClientPayloadError, match="not understood"):
            [line async for line in response.content.iter_chunked(2**20)]


@pytest.mark.parametrize(
    "line", [b"<html>", b"\xff", b'{"type": "\xff", "object": {}}', b"null", b'{"type":' + b"[" * 10_000]
)
async def test_kopf_survives_each_damaged_line_and_waits_a_second_before_the_next_watch(line: bytes) -> None:
    async with session(line + b"\n") as kopf, kopf.get(f"{PATH}?watch=true") as response:
        began = asyncio.get_running_loop().time()
        with pytest.raises(aiohttp.ClientPayloadError, match="not understood"):
            [each async for each in response.content.iter_chunked(2**20)]
        assert asyncio.get_running_loop().time() - began >= DAMAGED_LINE_SECONDS


@pytest.mark.parametrize(
    "text", [PAGE[:-1], b"<html>", b'{"items": {}}', b"\xff", b'{"kind": "\xff"}', b'{"items":' + b"[" * 10_000]
)
async def test_a_damaged_page_ends_the_list_with_an_error_that_starts_it_again(text: bytes) -> None:
    page_turn = PageTurn()
    async with session(text, page_turn) as kopf, kopf.get(PATH) as response:
        with pytest.raises(aiohttp.ClientPayloadError, match="not understood"):
            await response.json()
    assert not page_turn.is_taken


async def test_a_list_that_expires_between_two_pages_starts_again() -> None:
    async with session(b"{}", status=410) as kopf:
        with pytest.raises(aiohttp.ClientPayloadError, match="starts again"):
            await kopf.get(f"{PATH}?limit=50&continue=old")
        async with kopf.get(f"{PATH}?watch=true&resourceVersion=1") as response:
            assert (response.status, await response.json()) == (410, {})


@pytest.mark.parametrize("path", ["/apis/sluice.dev/v1alpha1", f"{PATH}/us"])
async def test_other_responses_are_unchanged(path: str) -> None:
    async with session(PAGE) as kopf, kopf.get(path) as response:
        assert await response.json() == json.loads(PAGE)


async def test_a_body_is_read_into_one_buffer() -> None:
    async with session(PAGE) as kopf, kopf.get(PATH) as response:
        assert isinstance(response, BufferedResponse)
        assert await response.read() == PAGE
        assert await response.read() == PAGE


async def test_lines_may_begin_and_end_anywhere_in_the_parts_of_a_stream() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"on", b"e\n\ntwo\nth", b"ree\nfour\n", b"cut"):
            yield part

    assert [line async for line in split_lines(parts())] == [b"one", b"two", b"three", b"four"]


async def test_a_failure_while_a_body_is_read_is_passed_on() -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.close()
        return response

    app = web.Application()
    app.router.add_get("/", break_off)
    async with (
        serve_on_free_port(app) as url,
        aiohttp.ClientSession(response_class=BufferedResponse) as client,
        client.get(url) as response,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        assert response.closed
