"""The pod's own IngestJob, read and reported with plain requests: a Kubernetes client would double the pod."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_contract.naming import Document
from sluice_contract.resource import IngestJob, ingest_job
from sluice_contract.status import IngestJobStatus, StreamStatus

from ..domain.backoff import Backoff
from ..ports import ReportError
from .causes import cause
from .decoding import decoded

_log = logging.getLogger(__name__)

SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_REQUEST_SECONDS = 10.0
_WATCH_SECONDS = 290
# Bookmarks come about once a minute. A stream that is silent for longer may be dead without knowing it.
_SILENCE_SECONDS = 100.0


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """Where the API server is, and where the pod's credentials are."""

    url: str
    credentials: Path = SERVICE_ACCOUNT_DIR


class Session:
    """Authenticated requests to the API server."""

    def __init__(self, api: Api) -> None:
        self.url = api.url
        self._credentials = api.credentials
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    def http(self) -> aiohttp.ClientSession:
        """The session. Made on the loop that uses it."""
        if self._session is None:
            context = ssl.create_default_context(cafile=str(self._credentials / "ca.crt"))
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=4))
        return self._session

    def headers(self) -> dict[str, str]:
        """The pod's token. Bound tokens rotate: the file is read each time."""
        token = (self._credentials / "token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}


class _Applied(Document, frozen=True):
    """A server-side apply of the pod's half of the status."""

    metadata: dict[str, str]
    status: IngestJobStatus
    api_version: str
    kind: str


class _GoneError(Exception):
    """The job does not exist, or a younger one has its name."""


class IngestJobClient:
    """One IngestJob, told from a later one of the same name by its uid."""

    def __init__(self, api: Api, namespace: str, name: str, uid: str, backoff: Backoff) -> None:
        self._uid = uid
        self._metadata = {"namespace": namespace, "name": name}
        self._collection = f"{api.url}/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
        self._object = f"{self._collection}/{name}"
        self._selector = f"metadata.name={name}"
        self._backoff = backoff
        self.session = Session(api)

    async def close(self) -> None:
        """Closes all connections."""
        await self.session.close()

    async def watch(self) -> AsyncIterator[IngestJob | None]:
        """The job, and then its changes, for ever; once it is gone, None, and the end."""
        generation = -1
        while True:
            try:
                async for job in self._changes():
                    self._backoff.reset()
                    if job.metadata.generation != generation:
                        generation = job.metadata.generation
                        yield job
                # The server ends each watch after a while. One that ends them at once must not be stormed.
                await asyncio.sleep(self._backoff.wait(at_least=0.2))
            except _GoneError:
                yield None
                return
            except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
                wait = self._backoff.wait(at_least=0.2)
                _log.warning("the IngestJob cannot be watched (%s); again in %.1f s", cause(error), wait)
                await asyncio.sleep(wait)

    async def report(self, status: StreamStatus) -> None:
        """Server-side apply: `status.stream` is the pod's, and nothing else is touched."""
        applied = _Applied(
            metadata=self._metadata,
            status=IngestJobStatus(stream=status),
            api_version=identity.API_VERSION,
            kind=identity.KIND,
        )
        try:
            async with self.session.http().patch(
                f"{self._object}/status",
                params={"fieldManager": identity.RUNTIME_FIELD_MANAGER, "force": "true"},
                data=msgspec.json.encode(applied),
                headers=self.session.headers() | {"Content-Type": "application/apply-patch+yaml"},
                timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS),
            ) as response:
                if response.status >= 400:
                    why = _reason(await response.read())
                    raise ReportError(f"the API server refuses the status (HTTP {response.status}): {why}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ReportError(f"the API server did not take the status: {cause(error)}") from error

    async def _changes(self) -> AsyncIterator[IngestJob]:
        async with self._get(self._object, {}, aiohttp.ClientTimeout(total=_REQUEST_SECONDS)) as response:
            document = await _json(response)
        job = self._mine(document)
        yield job
        query = {
            "watch": "true",
            "fieldSelector": self._selector,
            "resourceVersion": document["metadata"]["resourceVersion"],
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_REQUEST_SECONDS, sock_read=_SILENCE_SECONDS)
        async with self._get(self._collection, query, timeout) as response:
            async for line in _lines(response):
                event = decoded(line, dict[str, Any])
                if event["type"] == "ERROR":
                    return  # the resource version is too old, or the server is going: read anew
                if event["type"] == "DELETED":
                    raise _GoneError
                if event["type"] != "BOOKMARK":
                    yield self._mine(event["object"])

    def _mine(self, document: dict[str, Any]) -> IngestJob:
        if document["metadata"]["uid"] != self._uid:
            raise _GoneError
        return ingest_job(document)

    @asynccontextmanager
    async def _get(
        self, url: str, params: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        http, headers = self.session.http(), self.session.headers()
        async with http.get(url, params=params, headers=headers, timeout=timeout) as response:
            if response.status == 404:
                raise _GoneError
            response.raise_for_status()
            yield response


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The events of a watch, one a line, however long."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    return decoded(await response.read(), dict[str, Any])


def _reason(body: bytes) -> str:
    """The message of a Kubernetes Status; of anything else, its beginning."""
    try:
        return str(decoded(body, dict[str, Any])["message"])[:300]
    except (msgspec.MsgspecError, KeyError):
        return body[:300].decode(errors="replace")
