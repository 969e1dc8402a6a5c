"""HTTP redirects. No client of Sluice follows one, because the next host would get the request's credentials."""

from __future__ import annotations

from typing import Final

import aiohttp

_STATUSES: Final = frozenset({300, 301, 302, 303, 307, 308})


class RedirectRefusedError(aiohttp.ClientError):
    """A server answered with a redirect. The message is a clause about the server, without the target."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it {redirect_text(status)}")


def is_redirect(status: int) -> bool:
    """Return whether a response with this HTTP status sends the client to another address."""
    return status in _STATUSES


def redirect_text(status: int) -> str:
    """Return words about a server that answered with a redirect. They leave out the target, which the server chose."""
    return f"answered with a redirect (HTTP {status}), which is not followed"


async def refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A middleware of aiohttp sessions that raises RedirectRefusedError, where aiohttp would follow the redirect."""
    response = await handler(request)
    if is_redirect(response.status):
        response.close()
        raise RedirectRefusedError(response.status)
    return response
