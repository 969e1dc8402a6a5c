"""Requests to the API server: the official client's credentials and connections, our own encoding, typed errors.

The client's methods are not used: they cost up to three times as much as the request itself, and the generated ones
refuse fields that are newer than the client (docs/adr/0001).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import aiohttp
import msgspec
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.config.config_exception import ConfigException

from ..domain.denial_causes import denying_policy
from ..ports import (
    ClusterError,
    Conflict,
    InternalServerError,
    ListExpired,
    NotFound,
    NotLeading,
    RequestRefused,
    Unavailable,
)
from .access import CONNECTIONS, authorization_headers, connection_pool
from .decoding import DECODING_ERRORS, require_braces
from .retry_after import retry_after_seconds

_REFUSALS: Final = frozenset({400, 403, 422})
_CONNECT_SECONDS: Final = 10.0
_LIST_SECONDS: Final = 60.0
_KINDS: Final = {"PATCH": "application/apply-patch+yaml", "MERGE": "application/merge-patch+json"}


class _FailureStatus(msgspec.Struct):
    """The message in the body of a failed response (metav1.Status)."""

    message: str = ""


def unlimited_seconds() -> float:
    """Return infinity, for a client whose writes do not depend on the leadership."""
    return float("inf")


class RequestSender:
    """A sender of requests to the API server. It sends at most 32 at once, each with a time limit."""

    def __init__(
        self,
        client: ApiClient,
        timeout_seconds: float = 15.0,
        write_seconds_left: Callable[[], float] = unlimited_seconds,
        count_denial: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`write_seconds_left` returns for how many more seconds this client may write; 0 if not.

        `count_denial` is called with the name of Sluice's policy that refuses a request, unless that is a dry run.
        """
        self._count_denial = count_denial
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._write_seconds_left = write_seconds_left
        self._slots = asyncio.Semaphore(CONNECTIONS)

    async def send_request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> bytes:
        """Send a request and return the body of the response, which begins and ends as a JSON object.

        Raises `ClusterError` if it fails: `Unavailable` also for a success without such a body.

        The method PATCH sends a server-side apply. The method MERGE sends a JSON merge patch, also as HTTP PATCH.
        """
        try:
            async with self._slots:
                status, answer, wait = await self._send_and_read_response(method, path, query or {}, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ConfigException) as error:
            raise Unavailable(f"{method} {path}: {error!r}") from error
        if status >= 300:
            try:
                raise_cluster_error(status, answer, wait)
            except RequestRefused as refused:
                if (policy := denying_policy(str(refused))) and "dryRun" not in (query or {}):
                    self._count_denial(policy)
                raise
        require_braces(f"{method} {path}", answer)
        return answer

    async def _send_and_read_response(
        self, method: str, path: str, query: Mapping[str, str], body: Any
    ) -> tuple[int, bytes, float | None]:
        """Return the status, the body, and the seconds of Retry-After if the request failed."""
        client, configuration = self._client, self._client.configuration
        headers = {"Content-Type": _KINDS.get(method, "application/json"), "Accept": "application/json"}
        headers.update(await authorization_headers(client))
        method = "PATCH" if method == "MERGE" else method
        seconds = self._timeout_seconds_or_raise(method, query)
        async with connection_pool(client).request(
            method,
            f"{configuration.host}{path}",
            params=query,
            headers=headers,
            data=None if body is None else msgspec.json.encode(body),
            timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS)),
            proxy_headers=configuration.proxy_headers,
            server_hostname=configuration.tls_server_name,
        ) as response:
            answer = await response.read()
            has_failed = response.status >= 300
            return response.status, answer, retry_after_seconds(response.headers) if has_failed else None

    def _timeout_seconds_or_raise(self, method: str, query: Mapping[str, str]) -> float:
        """Return the time limit of a request in seconds.

        A write may last longer than this replica may now write: while responses are slow, the Lease is renewed
        meanwhile. If it is not renewed, the process exits, and the write with it, before another replica can lead.

        Raises `NotLeading` for a write if this replica may not write now.
        """
        if method == "GET":
            return _LIST_SECONDS if "limit" in query else self._timeout_seconds
        if self._write_seconds_left() <= 0:
            raise NotLeading("this replica does not lead, so it writes nothing")
        return self._timeout_seconds


def raise_cluster_error(status: int, answer: bytes, retry_after: float | None = None) -> NoReturn:
    """Raise the `ClusterError` of a response with this HTTP status and body, which gives the message.

    `retry_after` is the number of seconds before which the API server wants no retry.
    """
    try:
        failure = msgspec.json.decode(answer, type=_FailureStatus)
    except DECODING_ERRORS:
        failure = _FailureStatus()
    message = failure.message or f"HTTP {status}"
    if status == 404:
        raise NotFound(message)
    if status == 409:
        raise Conflict(message)
    if status == 410:
        raise ListExpired(message, retry_after)
    if status in _REFUSALS:
        raise RequestRefused(message)
    if status == 500:
        raise InternalServerError(message, retry_after)
    if status in {401, 429} or status > 500:
        raise Unavailable(message, retry_after)
    raise ClusterError(message)
