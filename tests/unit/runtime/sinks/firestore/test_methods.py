"""Each method sends what Google's own client sends, and raises what it raises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded, PermissionDenied
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports.grpc_asyncio import FirestoreGrpcAsyncIOTransport
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitRequest,
    CommitResponse,
    RunQueryRequest,
    RunQueryResponse,
    WriteResult,
)

from sluice_runtime.sinks.firestore.credentials import FIRESTORE_HOST
from sluice_runtime.sinks.firestore.google_tokens import SCOPES
from sluice_runtime.sinks.firestore.methods import FirestoreMethods
from support.deadlines import scaled

REAL_TIME = True
SECONDS = scaled(10)
DATABASE = "projects/demo/databases/(default)"
METADATA = [("google-cloud-resource-prefix", DATABASE)]
REQUESTS: dict[str, Any] = {
    "commit": CommitRequest(database=DATABASE),
    "batch_get_documents": BatchGetDocumentsRequest(database=DATABASE, documents=["a", "b"]),
    "run_query": RunQueryRequest(parent=f"{DATABASE}/documents"),
}

Call = tuple[str, bytes, dict[str, Any]]


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A Firestore that keeps the calls: their method, request and metadata. It refuses them with `refusal`, if set."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.refusal: grpc.StatusCode | None = None

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        metadata = dict(details.invocation_metadata)

        async def record(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            self.calls.append((details.method, request, metadata))
            if self.refusal is not None:
                await context.abort(self.refusal, "no")

        async def commit(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            await record(request, context)
            return bytes(CommitResponse.serialize(CommitResponse(write_results=[WriteResult()])))

        async def answer_twice(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[bytes]:
            await record(request, context)
            yield BatchGetDocumentsResponse.serialize(BatchGetDocumentsResponse(missing="a"))
            yield BatchGetDocumentsResponse.serialize(BatchGetDocumentsResponse(missing="b"))

        if details.method.endswith("/Commit"):
            return grpc.unary_unary_rpc_method_handler(commit)
        return grpc.unary_stream_rpc_method_handler(answer_twice)


@asynccontextmanager
async def channel_to_a_service() -> AsyncIterator[tuple[grpc.aio.Channel, Service]]:
    service = Service()
    server = grpc.aio.server(handlers=[service])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel, service
    await server.stop(None)


async def call_google_s_client(channel: grpc.aio.Channel, method: str) -> None:
    client = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
    call: Callable[..., Awaitable[Any]] = getattr(client, method)
    await call(request=REQUESTS[method], retry=None, timeout=SECONDS, metadata=METADATA)


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_call_is_that_of_google_s_client(method: str) -> None:
    async with channel_to_a_service() as (channel, service):
        await getattr(FirestoreMethods(channel), method)(REQUESTS[method], SECONDS, METADATA)
    ours = service.calls
    async with channel_to_a_service() as (channel, service):
        await call_google_s_client(channel, method)
    assert ours == service.calls
    assert "x-goog-request-params" in ours[0][2]


def test_the_host_and_the_scopes_are_those_of_google_s_client() -> None:
    transport = FirestoreGrpcAsyncIOTransport
    assert (FIRESTORE_HOST, SCOPES) == (transport.DEFAULT_HOST, transport.AUTH_SCOPES)


async def test_each_method_returns_google_s_messages() -> None:
    async with channel_to_a_service() as (channel, _):
        methods = FirestoreMethods(channel)
        assert len((await methods.commit(REQUESTS["commit"], SECONDS, METADATA)).write_results) == 1
        found = await methods.batch_get_documents(REQUESTS["batch_get_documents"], SECONDS, METADATA)
        assert [each.missing async for each in found] == ["a", "b"]
        rows = await methods.run_query(REQUESTS["run_query"], SECONDS, METADATA)
        assert [type(each) async for each in rows] == [RunQueryResponse, RunQueryResponse]


async def test_a_refusal_is_raised_at_once_as_google_s_exception() -> None:
    async with channel_to_a_service() as (channel, service):
        methods = FirestoreMethods(channel)
        service.refusal = grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(PermissionDenied, match="no"):
            await methods.commit(REQUESTS["commit"], SECONDS, METADATA)
        service.refusal = grpc.StatusCode.DEADLINE_EXCEEDED
        with pytest.raises(DeadlineExceeded):
            await methods.commit(REQUESTS["commit"], SECONDS, METADATA)
        service.refusal = grpc.StatusCode.UNAVAILABLE
        with pytest.raises(Exception, match="no"):
            [
                each
                async for each in await methods.batch_get_documents(REQUESTS["batch_get_documents"], SECONDS, METADATA)
            ]
    assert len(service.calls) == 3
