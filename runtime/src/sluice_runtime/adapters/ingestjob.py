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
from .api_session import ApiServer, ApiSession, kubernetes_error_message, read_json_object
from .decoding import decode_kubernetes_json
from .error_text import system_error_text
from .object_watch import LIVE_READ, REQUEST, ObjectWatch

_log = logging.getLogger(__name__)

_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
# The API server's status codes for an apply on an object with fields that its schema cannot type, or with a field of
# another writer in a part that the apply removes.
_NOT_APPLICABLE: Final = frozenset({400, 422, 500})
_FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError)


class _JobGoneError(Exception):
    """The job does not exist, or another job has its name now."""


class IngestJobClient:
    """Watches one IngestJob and writes its status. A later job of the same name has another uid and is ignored."""

    def __init__(self, api: ApiServer, namespace: str, name: str, uid: str, backoff: Backoff) -> None:
        self._uid = uid
        self._metadata = {"namespace": namespace, "name": name}
        self._collection = f"{api.url}/apis/{identity.API_VERSION}/namespaces/{namespace}/{identity.PLURAL}"
        self._object = f"{self._collection}/{name}"
        self._backoff = backoff
        self._arrived: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self._newest = 0  # the newest resourceVersion that has arrived, by any way
        self._watched = 0  # the newest one that the watch, or the read before it, has delivered
        self.session = ApiSession(api)
        self._watch = ObjectWatch(
            self.session,
            self._collection,
            self._queue_job_of_event,
            self._has_delivered_newest_version,
            {"fieldSelector": f"metadata.name={name}"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job, and again when its spec, its labels or its policy change, or its deletion begins.

        When the job is gone, the last value is None.
        """
        last: tuple[object, ...] | None = None
        while True:
            try:
                async for document in self._stream_documents():
                    self._backoff.reset()
                    job = parse_declared_job(document)
                    about = job.metadata
                    version = (about.generation, about.deletion_timestamp, about.labels, job.policy)
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
            if code in _NOT_APPLICABLE:
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
            await self._watch.deliver_events(str(document["metadata"]["resourceVersion"]))
            self._arrived.put_nowait(None)
        except Exception as error:  # any exception: no other code awaits this task
            self._arrived.put_nowait(error)

    async def _read_job(self) -> dict[str, Any]:
        async with self.session.get(self._object, {}, REQUEST) as response:
            _raise_for_status(response)
            return self._require_own_uid(await read_json_object(response))

    async def _has_delivered_newest_version(self) -> bool:
        async with self.session.get(self._object, {}, LIVE_READ, _METADATA_ONLY) as response:
            _raise_for_status(response)
            return _resource_version(self._require_own_uid(await read_json_object(response))) <= self._watched

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
        """Write a status that the API server refuses to apply: read the object and patch the difference.

        A CRD of an earlier version has not all fields, and requires a source also while nothing pauses the job.
        """
        stream = {"ingestEnabledSource": "", **stream}
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
            timeout=REQUEST,
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
    return decode_kubernetes_json(answer, dict[str, Any])


def _object_meta(document: dict[str, Any]) -> ObjectMeta:
    return decode_readable_fields(document.get("metadata"), ObjectMeta)


def _resource_version(document: dict[str, Any]) -> int:
    """Return the resourceVersion as a number; 0 if there is none."""
    return resource_version_number(_object_meta(document).resource_version)


def _stream_part_of_status(document: dict[str, Any]) -> dict[str, Any]:
    status = document.get("status")
    stream = status.get("stream") if isinstance(status, dict) else None
    return stream if isinstance(stream, dict) else {}
