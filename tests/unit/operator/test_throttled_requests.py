"""Requests of kopf that wait as long as the API server has asked."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from sluice_operator.adapters.throttled_requests import ThrottledRequests
from support.web_server import serve_on_free_port

REAL_TIME = True


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_no_request_for_a_path_is_sent_before_the_time_that_its_failure_named(status: int) -> None:
    now, slept = 100.0, list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "7"} if request.path == "/busy" else {})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    middleware = ThrottledRequests(lambda: now, sleep)
    async with serve_on_free_port(app) as url, aiohttp.ClientSession(url, middlewares=(middleware,)) as session:
        await session.get("/busy")
        await session.get("/other")
        assert slept == []
        now = 102.0
        await session.get("/busy")
        assert slept == [5.0]
        now = 120.0
        await session.get("/busy")
        assert slept == [5.0]
