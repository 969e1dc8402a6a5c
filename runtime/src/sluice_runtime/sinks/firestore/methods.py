"""The methods of Firestore's service that Sluice calls, with Google's messages, metadata and exceptions.

Google's FirestoreAsyncClient sends the same. It also loads the REST transport, and the policies of retries, which need
requests and urllib3. See docs/adr/0048-smaller-start.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Any

import google.protobuf
import grpc
from google.api_core.gapic_v1.client_info import ClientInfo
from google.api_core.gapic_v1.method_async import wrap_method
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.cloud.firestore_v1.gapic_version import __version__ as client_version
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitRequest,
    CommitResponse,
    RunQueryRequest,
    RunQueryResponse,
)

Metadata = Sequence[tuple[str, str]]

_SERVICE = "/google.firestore.v1.Firestore"
# The versions of the client, gRPC, Python and protobuf, for the header with which Google counts clients.
_CLIENT_INFO = ClientInfo(gapic_version=client_version, protobuf_runtime_version=google.protobuf.__version__)


class FirestoreMethods:
    """The methods over one channel. None retries; all raise the exceptions of google.api_core, google.auth and gRPC.

    `seconds` is the time limit of a call. `metadata` is sent with it, after Google's routing header.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        commit = channel.unary_unary(
            f"{_SERVICE}/Commit",
            request_serializer=CommitRequest.serialize,
            response_deserializer=CommitResponse.deserialize,
        )
        batch_get_documents = channel.unary_stream(
            f"{_SERVICE}/BatchGetDocuments",
            request_serializer=BatchGetDocumentsRequest.serialize,
            response_deserializer=BatchGetDocumentsResponse.deserialize,
        )
        run_query = channel.unary_stream(
            f"{_SERVICE}/RunQuery",
            request_serializer=RunQueryRequest.serialize,
            response_deserializer=RunQueryResponse.deserialize,
        )
        self._commit = _with_google_exceptions(commit)
        self._batch_get_documents = _with_google_exceptions(batch_get_documents)
        self._run_query = _with_google_exceptions(run_query)

    async def commit(self, request: CommitRequest, seconds: float, metadata: Metadata) -> CommitResponse:
        """Commit the writes of `request`: all of them or none."""
        routed = _with_routing_header(metadata, "database", request.database)
        response: CommitResponse = await self._commit(request, timeout=seconds, metadata=routed)
        return response

    async def batch_get_documents(
        self, request: BatchGetDocumentsRequest, seconds: float, metadata: Metadata
    ) -> AsyncIterable[BatchGetDocumentsResponse]:
        """Return one response for each document of `request`, in any order."""
        routed = _with_routing_header(metadata, "database", request.database)
        responses: AsyncIterable[BatchGetDocumentsResponse] = await self._batch_get_documents(
            request, timeout=seconds, metadata=routed
        )
        return responses

    async def run_query(
        self, request: RunQueryRequest, seconds: float, metadata: Metadata
    ) -> AsyncIterable[RunQueryResponse]:
        """Return the responses to a query."""
        routed = _with_routing_header(metadata, "parent", request.parent)
        responses: AsyncIterable[RunQueryResponse] = await self._run_query(request, timeout=seconds, metadata=routed)
        return responses


def _with_google_exceptions(method: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return `method` as Google's client calls it: with the header of the client's version, and Google's exceptions."""
    wrapped: Callable[..., Awaitable[Any]] = wrap_method(method, client_info=_CLIENT_INFO)
    return wrapped


def _with_routing_header(metadata: Metadata, name: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*metadata, to_grpc_metadata(((name, value),)))
