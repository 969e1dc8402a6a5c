"""Redirects of aiohttp sessions. tests/integration/test_redirects.py has each client of Sluice."""

import aiohttp
import pytest

from sluice_contract.redirects import RedirectRefusedError, is_redirect, refuse_redirects
from support.raw_http_peer import RawHTTPPeer, http_answer

REAL_TIME = True


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_is_an_error_of_the_client_without_its_target(status: int) -> None:
    async with RawHTTPPeer().listening() as second:
        answer = http_answer(status, Location=f"http://{second.address}/next")
        async with (
            RawHTTPPeer(answer).listening() as first,
            aiohttp.ClientSession(middlewares=[refuse_redirects]) as session,
        ):
            with pytest.raises(RedirectRefusedError) as raised:
                await session.get(f"http://{first.address}/")
    assert str(raised.value) == f"it answered with a redirect (HTTP {status}), which is not followed"
    assert (second.connections, isinstance(raised.value, aiohttp.ClientError)) == (0, True)


@pytest.mark.parametrize("status", [200, 304, 404, 503])
async def test_every_other_response_is_passed_on(status: int) -> None:
    async with (
        RawHTTPPeer(http_answer(status)).listening() as peer,
        aiohttp.ClientSession(middlewares=[refuse_redirects]) as session,
        session.get(f"http://{peer.address}/") as response,
    ):
        assert (response.status, is_redirect(status)) == (status, False)
