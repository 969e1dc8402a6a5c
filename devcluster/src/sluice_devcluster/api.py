"""A small client of the Kubernetes API over aiohttp: JSON in and out, and watches of objects of any size."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

Json = dict[str, Any]
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
REQUEST_SECONDS = 30.0


class ApiError(Exception):
    """The API server refused a request; has the HTTP status, and `reason` and `message` of its Status object."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        """`status` is the HTTP status; `reason` and `message` come from the Status object."""
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class ApiClient:
    """A connection pool with one client identity; connection failures raise aiohttp.ClientError or TimeoutError."""

    def __init__(self, port: int, pki: Path, identity: str) -> None:
        """Connect to 127.0.0.1:`port` with the client certificate `identity` in the directory `pki`."""
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        context.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")
        self._base = f"https://127.0.0.1:{port}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=False),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._session.close()

    async def get_text(self, path: str) -> str:
        """Get a path as text; raise ApiError if the status is above 299."""
        async with self._session.get(self._base + path) as response:
            body = await response.text()
            _raise_for_status(response.status, body)
            return body

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """Get an object or a list."""
        return await self._request_json("GET", path, None, params=params)

    async def post(self, path: str, body: Json) -> Json:
        """Create an object."""
        return await self._request_json("POST", path, body)

    async def delete(self, path: str, body: Json) -> Json:
        """Delete an object; the body is a DeleteOptions object."""
        return await self._request_json("DELETE", path, body)

    async def patch(
        self, path: str, body: Json, kind: str = STRATEGIC, params: Mapping[str, str] | None = None
    ) -> Json:
        """Patch an object; `kind` is the content type of the patch."""
        return await self._request_json("PATCH", path, body, content_type=kind, params=params)

    async def watch(self, path: str, params: Mapping[str, str]) -> AsyncGenerator[Json]:
        """Yield the events of a watch until the server ends it; raise ApiError if the server refuses the watch."""
        no_limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=None)
        query = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._session.get(self._base + path, params=query, timeout=no_limit) as response:
            if response.status > 299:
                _raise_for_status(response.status, await response.text())
            pending = b""
            # Split the lines here, because aiohttp's readline raises an error for lines above 128 KiB.
            async for chunk in response.content.iter_any():
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    async def _request_json(
        self,
        method: str,
        path: str,
        body: Json | None,
        *,
        content_type: str = "application/json",
        params: Mapping[str, str] | None = None,
    ) -> Json:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        async with self._session.request(
            method, self._base + path, data=data, headers=headers, params=params
        ) as response:
            text = await response.text()
            _raise_for_status(response.status, text)
            answer: Json = json.loads(text)
            return answer


def _raise_for_status(status: int, body: str) -> None:
    if status <= 299:
        return
    try:
        parsed = json.loads(body)
        raise ApiError(status, str(parsed.get("reason", "")), str(parsed.get("message", body)))
    except (json.JSONDecodeError, AttributeError):
        raise ApiError(status, "", body.strip()) from None
