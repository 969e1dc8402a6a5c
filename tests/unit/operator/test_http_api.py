"""The operator's HTTP interface."""

from __future__ import annotations

import aiohttp
import pytest

from sluice_operator.adapters.http_api import EndpointSources, http_server

REAL_TIME = True


@pytest.mark.parametrize("good", [True, False])
async def test_the_health_endpoints_answer(unused_tcp_port: int, good: bool) -> None:
    health = EndpointSources(
        alive=lambda: good,
        readiness_problem=lambda: "" if good else "a sentence",
        metrics=lambda: iter([b"pa", b"ge\n"]),
    )
    answers = {}
    async with http_server(health, "127.0.0.1", unused_tcp_port), aiohttp.ClientSession() as session:
        for path in ("/livez", "/healthz", "/readyz", "/metrics"):
            async with session.get(f"http://127.0.0.1:{unused_tcp_port}{path}") as response:
                answers[path] = (response.status, await response.text())
    alive = (200, "ok\n") if good else (503, "the event loop is late\n")
    ready = (200, "ok\n") if good else (503, "a sentence\n")
    assert answers == {"/livez": alive, "/healthz": alive, "/readyz": ready, "/metrics": (200, "page\n")}
