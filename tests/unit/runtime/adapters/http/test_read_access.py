import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from sluice_contract.http_server import create_listener
from sluice_runtime.adapters.http.api import serve_http
from sluice_runtime.adapters.http.bearer_token import create_token_check
from sluice_runtime.adapters.http.read_access import LOOPBACK, create_listeners, create_read_check, refusal_of_read
from support.runtime_fakes import runtime_state, runtime_view

REAL_TIME = True
OWN_ADDRESS = "127.77.0.1"  # stands for a pod's own address: the loopback interface of a pod has only 127.0.0.1
TOKEN = "sesame-sesame"
REFUSAL = (
    "GET needs the header Authorization: Bearer TOKEN, with the token of spec.http.tokenSecretRef; or use kubectl "
    "port-forward, which needs no token, or set spec.http.public to true"
)


def test_a_request_may_read_with_the_token_or_in_the_pod_or_where_the_job_is_public() -> None:
    for address, problem, is_public in itertools.product(("10.1.2.3", "::1", LOOPBACK, ""), (None, "x"), (False, True)):
        refused = refusal_of_read(address, problem, is_public=is_public) is not None
        assert refused == (address in ("10.1.2.3", "") and problem is not None and not is_public)


@asynccontextmanager
async def interface(folder: Path, *, is_public: bool = False) -> AsyncIterator[dict[str, str]]:
    """Serve the interface with TOKEN at OWN_ADDRESS and on loopback. Yield the address of the status at each."""
    (folder / "token").write_text(TOKEN)
    check = create_read_check(create_token_check(folder / "token"), is_public=is_public)
    listeners = [create_listener(OWN_ADDRESS, 0), create_listener(LOOPBACK, 0)]
    ports = {name: each.getsockname()[1] for name, each in zip((OWN_ADDRESS, LOOPBACK), listeners, strict=True)}
    async with serve_http(runtime_view(runtime_state()), listeners, read_check=check):
        yield {name: f"http://{name}:{port}/runtime/ingest/status" for name, port in ports.items()}


async def answer(url: str, token: str | None = None) -> tuple[int, str | None]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, (await response.json()).get("error")


async def test_at_its_own_address_a_pod_answers_only_with_the_token(tmp_path: Path) -> None:
    async with interface(tmp_path) as urls:
        assert await answer(urls[OWN_ADDRESS]) == (403, REFUSAL)
        assert await answer(urls[OWN_ADDRESS], "other") == (403, REFUSAL)
        assert await answer(urls[OWN_ADDRESS], TOKEN) == (200, None)


async def test_on_loopback_a_pod_answers_without_a_token(tmp_path: Path) -> None:
    async with interface(tmp_path) as urls:
        assert await answer(urls[LOOPBACK]) == (200, None)
        assert await answer(urls[LOOPBACK], "other") == (200, None)


async def test_a_public_pod_answers_everyone(tmp_path: Path) -> None:
    async with interface(tmp_path, is_public=True) as urls:
        assert [await answer(each) for each in urls.values()] == [(200, None)] * 2


def test_a_pod_whose_own_address_is_a_loopback_address_has_one_listener(unused_tcp_port: int) -> None:
    [own] = create_listeners(OWN_ADDRESS, unused_tcp_port)
    with own:
        assert own.getsockname() == (OWN_ADDRESS, unused_tcp_port)


def test_a_used_port_on_loopback_is_reported_and_the_own_address_is_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own, other = create_listener(OWN_ADDRESS, 0), create_listener(LOOPBACK, 0)
    port = other.getsockname()[1]

    def listener(host: str, at_port: int) -> object:
        return own if host == "192.0.2.1" else create_listener(host, at_port)

    monkeypatch.setattr("sluice_runtime.adapters.http.read_access.create_listener", listener)
    with caplog.at_level(logging.WARNING), own, other:
        assert create_listeners("192.0.2.1", port) == [own]
    assert f"port {port} of 127.0.0.1 cannot be used (Address already in use)" in caplog.text
