"""Requests to the API server: their time limits, and the errors of the responses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kubernetes.aio.client.configuration import Configuration

from sluice_operator.adapters.api import RequestSender
from sluice_operator.ports import (
    ClusterError,
    Conflict,
    InternalServerError,
    ListExpired,
    NotFound,
    NotLeading,
    RequestRefused,
    Unavailable,
)

HOST = "http://127.0.0.1:9"
POLICY = "ValidatingAdmissionPolicy 'sluice-pod-shape' with binding 'sluice-pod-shape' denied request: no"


class FakeResponse:
    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    async def read(self) -> bytes:
        return self._body


class FakePool:
    """A pool whose API server answers each request in the same way."""

    def __init__(self, response: FakeResponse, failure: Exception | None) -> None:
        self.calls: list[tuple[str, str, Any, float | None]] = []
        self.options: list[dict[str, Any]] = []
        self._response = response
        self._failure = failure

    @asynccontextmanager
    async def request(self, method: str, url: str, **options: Any) -> AsyncIterator[FakeResponse]:
        if self._failure is not None:
            raise self._failure
        self.calls.append((method, url, options["headers"]["Content-Type"], options["timeout"].total))
        self.options.append(options)
        yield self._response


class FakeClient:
    """An ApiClient with a token and a pool."""

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"{}",
        failure: Exception | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.configuration = Configuration(host=HOST, api_key={"BearerToken": "secret"})
        self.pool = FakePool(FakeResponse(status, body, headers or {}), failure)
        self.rest_client = SimpleNamespace(pool_manager=self.pool)


def sender(client: FakeClient, **options: Any) -> RequestSender:
    return RequestSender(client, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, NotFound),
        (409, Conflict),
        (410, ListExpired),
        *((status, RequestRefused) for status in (400, 403, 422)),
        (500, InternalServerError),
        *((status, Unavailable) for status in (401, 429, 503)),
        (302, ClusterError),
    ],
)
async def test_each_status_of_a_failure_has_its_error(status: int, kind: type[ClusterError]) -> None:
    body = msgspec.json.encode({"message": "the reason"})
    with pytest.raises(kind, match="the reason") as found:
        await sender(FakeClient(status, body)).send_request("GET", "/path")
    assert type(found.value) is kind


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"message": "\xff"}'])
async def test_a_failure_without_a_readable_body_names_its_status(body: bytes) -> None:
    with pytest.raises(Unavailable, match="HTTP 502"):
        await sender(FakeClient(502, body)).send_request("GET", "/path")


@pytest.mark.parametrize("failure", [TimeoutError("late"), OSError("no route")])
async def test_a_server_that_cannot_be_reached_is_unavailable(failure: Exception) -> None:
    with pytest.raises(Unavailable, match="GET /path"):
        await sender(FakeClient(failure=failure)).send_request("GET", "/path")


@pytest.mark.parametrize(("query", "counted"), [({}, ["sluice-pod-shape"]), ({"dryRun": "All"}, [])])
async def test_a_refusal_of_a_policy_is_counted_unless_it_is_a_dry_run(
    query: dict[str, str], counted: list[str]
) -> None:
    policies: list[str] = []
    client = FakeClient(422, msgspec.json.encode({"message": POLICY}))
    with pytest.raises(RequestRefused):
        await sender(client, count_denial=policies.append).send_request("POST", "/pods", query, {})
    assert policies == counted


async def test_each_request_has_its_content_type_and_time_limit() -> None:
    client = FakeClient()
    requests = sender(client, write_seconds_left=lambda: 4.0)
    await requests.send_request("GET", "/a")
    await requests.send_request("GET", "/b", {"limit": "50"})
    await requests.send_request("PATCH", "/c", None, {})
    await requests.send_request("MERGE", "/d", None, {})
    assert client.pool.calls == [
        ("GET", f"{HOST}/a", "application/json", 15.0),
        ("GET", f"{HOST}/b", "application/json", 60.0),
        ("PATCH", f"{HOST}/c", "application/apply-patch+yaml", 15.0),
        ("PATCH", f"{HOST}/d", "application/merge-patch+json", 15.0),
    ]


async def test_a_request_has_the_client_s_credentials_and_its_body_as_json() -> None:
    client = FakeClient()
    client.configuration.tls_server_name = "kubernetes"
    await sender(client).send_request("POST", "/a", {"dryRun": "All"}, {"kind": "Pod"})
    await sender(client).send_request("GET", "/b")
    first, second = client.pool.options
    assert first["headers"]["authorization"] == "secret"
    assert (first["params"], first["data"], second["data"]) == ({"dryRun": "All"}, b'{"kind":"Pod"}', None)
    assert first["server_hostname"] == "kubernetes"


async def test_a_replica_that_does_not_lead_reads_and_does_not_write() -> None:
    client = FakeClient()
    requests = sender(client, write_seconds_left=lambda: 0.0)
    with pytest.raises(NotLeading):
        await requests.send_request("DELETE", "/pods")
    await requests.send_request("GET", "/pods")
    assert [method for method, *_ in client.pool.calls] == ["GET"]


NOT_JSON = [b"", b"<html>", b"\xff", b"null", b"[]", b'{"kind": "Event"', b"ok"]


@pytest.mark.parametrize("body", NOT_JSON)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "MERGE", "PUT", "DELETE"])
async def test_a_success_without_a_json_object_is_no_success(method: str, body: bytes) -> None:
    with pytest.raises(Unavailable, match="GET /path" if method == "GET" else "/path: the response is not understood"):
        await sender(FakeClient(200, body)).send_request(method, "/path", None, {})


@pytest.mark.parametrize("status", [429, 500, 503, 504, 410])
async def test_an_error_says_when_the_api_server_wants_the_next_request(status: int) -> None:
    with pytest.raises(Unavailable) as found:
        await sender(FakeClient(status, headers={"Retry-After": "7"})).send_request("GET", "/path")
    assert found.value.retry_after == 7
    with pytest.raises(Unavailable) as found:
        await sender(FakeClient(status)).send_request("GET", "/path")
    assert found.value.retry_after is None
