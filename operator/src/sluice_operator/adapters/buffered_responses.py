"""HTTP responses whose body is read into one buffer, and whose body cannot end kopf."""

from __future__ import annotations

import math
from typing import Any, Final

import aiohttp
import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from sluice_contract.json_nesting import decode_without_deep_values

from ..domain.reduced_documents import reduced_kind_of_path
from .decoding import DECODING_ERRORS
from .retry_after import retry_after_seconds

_OK: Final = 200
_FIRST_FAILURE: Final = 400
_TOO_MANY_REQUESTS: Final = 429
# The fields that kopf reads without a check.
_REQUIRED_FIELDS: Final = {"/api": "versions", "/apis": "groups"}


class BufferedResponse(aiohttp.ClientResponse):
    """A response whose body is read into one buffer. aiohttp itself keeps all parts until it has joined them."""

    async def read(self) -> bytes:
        """Return the body, which is a bytearray."""
        if self._body is None:
            body = bytearray()
            try:
                async for part in self.content.iter_any():
                    body += part
            except BaseException:
                self.close()
                raise
            self._body = body  # type: ignore[assignment]  # it has the methods of bytes that are used
        return await super().read()


class DocumentResponse(BufferedResponse):
    """A response to kopf whose body is a JSON document, or an error that kopf survives."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the headers, and the body unless it is a LIST or a watch.

        kopf ends when a body is not JSON, when that of a failure breaks off, or when Retry-After is a date. Raises
        `aiohttp.ClientConnectionError` for a document that is not JSON; kopf repeats such a request after its backoff.
        """
        await super().start(connection)
        if self.status == _OK and reduced_kind_of_path(self.url.path) is None:
            await self._read_document()
        if self.status >= _FIRST_FAILURE:
            await self._read_failure()
        if self.status == _TOO_MANY_REQUESTS:
            self._set_retry_after()
        return self

    async def _read_document(self) -> None:
        path = self.url.path
        try:
            document = _decode(await self.read())
        except (aiohttp.ClientPayloadError, *DECODING_ERRORS) as error:
            raise aiohttp.ClientConnectionError(f"GET {path}: the response is not understood, {error}") from error
        required = _REQUIRED_FIELDS.get(path)
        if not isinstance(document, dict) or (required and not isinstance(document.get(required), list)):
            raise aiohttp.ClientConnectionError(f"GET {path}: the response is not the expected JSON object")

    async def json(self, **_: Any) -> Any:
        """Return the decoded body, whatever its Content-Type is; None for that of a failure that is not JSON."""
        try:
            return _decode(await self.read())
        except DECODING_ERRORS:
            if self.status < _FIRST_FAILURE:
                raise
            return None

    async def _read_failure(self) -> None:
        try:
            await self.read()
        except aiohttp.ClientError:
            self._body = b""  # the status suffices

    def _set_retry_after(self) -> None:
        seconds = retry_after_seconds(self.headers)
        headers = CIMultiDict(self.headers)
        headers["Retry-After"] = str(math.ceil(seconds)) if seconds is not None else "1"
        self._headers = CIMultiDictProxy(headers)
        self._cache.pop("headers", None)


def _decode(text: bytes) -> Any:
    return decode_without_deep_values(msgspec.json.decode, text)
