"""The pod's own IngestJob, over plain HTTP requests: a Kubernetes client library would double the pod's memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import msgspec

from sluice_contract import identity
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.merging import create_merge_patch, create_removal_patch
from sluice_contract.resource import ObjectMeta, resource_version_number
from sluice_contract.status import StreamStatus
from sluice_contract.status_size import fit_stream_status

from ..domain.backoff import Backoff
from ..domain.declared_job import DeclaredJob, parse_declared_job
from ..ports import ReportError
from .api_session import ApiServer, ApiSession, kubernetes_error_message, read_json_object, stream_json_lines
from .decoding import decode_json
from .error_text import system_error_text

_log = logging.getLogger(__name__)

_REQUEST: Final = aiohttp.ClientTimeout(total=5.0)
_WATCH_SECONDS: Final = 290
_WATCH: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
# A watch that is silent for 8 s is compared with a live read, which may take 4 s. A stop that the watch does not
# deliver is thus seen within 12 s, even if a proxy keeps a dead connection open.
LIVE_READ_SECONDS: Final = 8.0
_LIVE_READ: Final = aiohttp.ClientTimeout(total=4.0)
# How long an event of the watch may lag behind a live read.
_EVENT_SECONDS: Final = 2.0
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
# The API server's status codes for an apply on an object with fields that its schema cannot type.
_UNTYPABLE: Final = frozenset({400, 500})
_FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError)


class _JobGoneError(Exception):
    """The job does not exist, or another job has its name now."""


class _SilentWatchError(OSError):
    """The job has changed, but the watch has not delivered the change."""


class IngestJobClient:
    """Watches one IngestJob and writes its status. A later job of the same name has another uid and is ignored."""

    def __init__(self, api: ApiServer, namespace: str, name: str, uid: str, backoff: Backoff) -> None:
        self._uid = uid
        self._metadata = {"namespace": namespace, "name": name}
        self._collection = f"{api.url}/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
        self._object = f"{self._collection}/{name}"
        self._selector = f"metadata.name={name}"
        self._backoff = backoff
        self._arrived: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self._newest = 0  # the newest resourceVersion that has arrived, by any way
        self._watched = 0  # the newest one that the watch, or the read before it, has delivered
        self.session = ApiSession(api)

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job, and again when its spec changes or its deletion begins.

        When the job is gone, the last value is None.
        """
        last: tuple[int, object] | None = None
        while True:
            try:
                async for document in self._stream_documents():
                    self._backoff.reset()
                    job = parse_declared_job(document)
                    version = (job.metadata.generation, job.metadata.deletion_timestamp)
                    if version != last:
                        last = version
                        yield job
                # The server ends each watch after some minutes. The wait prevents a storm if it ends them immediately.
                await asyncio.sleep(self._backoff.next_delay(at_least=0.2))
            except _JobGoneError:
                yield None
                return
            except Exception as error:  # also invalid answers: the watch must never stop
                wait = self._backoff.next_delay(at_least=0.2)
                _log.warning(
                    "the watch of the IngestJob failed (%s); reading it again in %.1f s", system_error_text(error), wait
                )
                if not isinstance(error, aiohttp.ClientResponseError):
                    await self.session.close()  # the other connections may be broken for the same reason
                await asyncio.sleep(wait)

    async def report_status(self, status: StreamStatus) -> None:
        """Write `status.stream` by server-side apply. If the response has a newer spec, `watch` yields it."""
        stream = msgspec.to_builtins(fit_stream_status(status))
        body = {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": self._metadata,
            "status": {"stream": stream},
        }
        try:
            code, answer = await self._patch_status(_APPLY, body, force="true")
            if code in _UNTYPABLE:
                await self._write_status_by_merge_patch(stream)
                return
            stored = _object_in_response(code, answer)
            self._queue_job_if_newer(stored)
            if leftover := create_removal_patch(_stream_part_of_status(stored), stream):
                _object_in_response(*await self._patch_status(_MERGE, self._merge_patch_body(leftover)))
        except _FAILURES as error:
            raise ReportError(f"the API server did not accept the status: {system_error_text(error)}") from error

    async def _stream_documents(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the current job, and then each version from the watch or from the response to a status write."""
        following = asyncio.ensure_future(self._queue_current_and_watched_jobs())
        try:
            while (arrived := await self._arrived.get()) is not None:
                if isinstance(arrived, Exception):
                    raise arrived
                yield arrived
        finally:
            following.cancel()

    async def _queue_current_and_watched_jobs(self) -> None:
        """Read the job and queue it, then queue each version that the watch delivers.

        At the end, queue None if the server ended the watch, or the exception if it failed.
        """
        try:
            document = await self._read_job()
            self._newest = self._watched = _resource_version(document)
            self._arrived.put_nowait(document)
            await self._queue_watched_jobs(str(document["metadata"]["resourceVersion"]))
            self._arrived.put_nowait(None)
        except Exception as error:  # any exception: no other code awaits this task
            self._arrived.put_nowait(error)

    async def _read_job(self) -> dict[str, Any]:
        async with self.session.get(self._object, {}, _REQUEST) as response:
            _raise_for_status(response)
            return self._require_own_uid(await read_json_object(response))

    async def _queue_watched_jobs(self, since: str) -> None:
        """Queue each version of the job from a watch that starts at the resourceVersion `since`.

        Returns when the server ends the watch, or no longer has the events since then.
        """
        query = {
            "watch": "true",
            "fieldSelector": self._selector,
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        async with self.session.get(self._collection, query, _WATCH) as response:
            _raise_for_status(response)
            events = stream_json_lines(response)
            following = asyncio.ensure_future(anext(events, None))
            try:
                while (event := await self._wait_for_event_or_verify_watch(following)) is not None and event[
                    "type"
                ] != "ERROR":
                    self._queue_job_of_event(event)
                    following = asyncio.ensure_future(anext(events, None))
            finally:
                following.cancel()

    async def _wait_for_event_or_verify_watch(
        self, following: asyncio.Future[dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """Return the event of `following`. After each 8 s without it, compare the watch with a live read."""
        while not (await asyncio.wait({following}, timeout=LIVE_READ_SECONDS))[0]:
            live = asyncio.ensure_future(self._read_live_version())
            either: set[asyncio.Future[Any]] = {following, live}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if following.done() or live.result() <= self._watched:
                    continue
            finally:
                live.cancel()
            if not (await asyncio.wait({following}, timeout=_EVENT_SECONDS))[0]:
                raise _SilentWatchError("the job has changed, but the watch has not delivered the change")
        return following.result()

    async def _read_live_version(self) -> int:
        async with self.session.get(self._object, {}, _LIVE_READ, _METADATA_ONLY) as response:
            _raise_for_status(response)
            return _resource_version(self._require_own_uid(await read_json_object(response)))

    def _queue_job_of_event(self, event: dict[str, Any]) -> None:
        """Queue the job of a watch event, unless the event is a bookmark or a newer version has already arrived.

        Raises:
            _JobGoneError: the job was deleted, or the event is about another job.
        """
        if event["type"] == "DELETED":
            raise _JobGoneError
        self._watched = max(self._watched, _resource_version(event["object"]))
        if event["type"] != "BOOKMARK" and self._watched >= self._newest:
            self._newest = self._watched
            self._arrived.put_nowait(self._require_own_uid(event["object"]))

    def _queue_job_if_newer(self, document: dict[str, Any]) -> None:
        """Queue the job in a response to a write, unless a newer version has already arrived."""
        if _object_meta(document).uid == self._uid and _resource_version(document) > self._newest:
            self._newest = _resource_version(document)
            self._arrived.put_nowait(document)

    def _require_own_uid(self, document: dict[str, Any]) -> dict[str, Any]:
        if _object_meta(document).uid != self._uid:
            raise _JobGoneError
        return document

    async def _write_status_by_merge_patch(self, stream: dict[str, Any]) -> None:
        """Write a status that the API server refuses to apply: read the object and patch the difference."""
        document = await self._read_job_for_merge()
        if patch := create_merge_patch(_stream_part_of_status(document), stream):
            document = _object_in_response(*await self._patch_status(_MERGE, self._merge_patch_body(patch)))
        self._queue_job_if_newer(document)

    async def _read_job_for_merge(self) -> dict[str, Any]:
        try:
            return await self._read_job()
        except _JobGoneError:
            raise ReportError("the IngestJob no longer exists") from None

    def _merge_patch_body(self, patch: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": {"uid": self._uid}, "status": {"stream": patch}}

    async def _patch_status(self, content_type: str, body: dict[str, Any], **query: str) -> tuple[int, bytes]:
        async with self.session.client_session().patch(
            f"{self._object}/status",
            params={"fieldManager": identity.RUNTIME_FIELD_MANAGER, **query},
            data=msgspec.json.encode(body),
            headers=self.session.authorization_header() | {"Content-Type": content_type},
            timeout=_REQUEST,
        ) as response:
            return response.status, await response.read()


def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    if response.status == 404:
        raise _JobGoneError
    response.raise_for_status()


def _object_in_response(code: int, answer: bytes) -> dict[str, Any]:
    """Return the object in the response to a write.

    Raises:
        ReportError: the API server refused the write.
    """
    if code >= 400:
        raise ReportError(f"the API server refused the status (HTTP {code}): {kubernetes_error_message(answer)}")
    return decode_json(answer, dict[str, Any])


def _object_meta(document: dict[str, Any]) -> ObjectMeta:
    return decode_readable_fields(document.get("metadata"), ObjectMeta)


def _resource_version(document: dict[str, Any]) -> int:
    """Return the resourceVersion as a number; 0 if there is none."""
    return resource_version_number(_object_meta(document).resource_version)


def _stream_part_of_status(document: dict[str, Any]) -> dict[str, Any]:
    status = document.get("status")
    stream = status.get("stream") if isinstance(status, dict) else None
    return stream if isinstance(stream, dict) else {}
