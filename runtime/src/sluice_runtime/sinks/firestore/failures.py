"""Conversion of Firestore's exceptions to the errors of the Sink port."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from sluice_contract.proxies import Proxy

from ...adapters.http_proxies import proxy_for_url, proxy_refusal_text, via_proxy
from ...domain.failure import SinkError, UnusableVariableError
from .connection import DEADLINE_SECONDS
from .credentials import FIRESTORE_HOST, emulator_address, first_line_of_error

_LASTING_SECONDS = 30.0  # an early retry cannot succeed: the document must be changed first
_CONTENTION = (exceptions.Aborted, exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)
# Google's packages also raise errors about credentials, gRPC, and values that cannot be encoded.
_FAILURES = (exceptions.GoogleAPIError, GoogleAuthError, OSError, ValueError)
_LOCKED = "another client locks it or keeps writing it; shorten that client's transactions"


@contextmanager
def raising_sink_errors(document: str | None = None) -> Iterator[None]:
    """Convert exceptions of Google's packages to SinkError, whose sentence contains no secrets.

    `document` is the path of the document, if the request is for one document.
    """
    try:
        yield
    except SinkError as error:
        error.document = error.document or document
        raise
    except Exception as error:
        converted = _sink_error(error)
        if converted is None:
            raise
        converted.document = document
        raise converted from error


def _sink_error(error: Exception) -> SinkError | None:
    """Return the failure that `error` means; None if it is not an error of Google's packages."""
    text = _failure_text(error)
    match error:
        case exceptions.InvalidArgument():
            return SinkError(f"Firestore refused the request: {text}", _LASTING_SECONDS, scope="documents")
        case exceptions.DeadlineExceeded() | TimeoutError():
            via = via_proxy(_proxy_of_firestore())
            return SinkError(f"Firestore did not accept a write within {DEADLINE_SECONDS} s{via}", scope="unknown")
        case _ if isinstance(error, _CONTENTION):
            return SinkError(f"Firestore did not accept a write: {text.rstrip('.')}; {_LOCKED}", scope="documents")
        case _ if isinstance(error, _FAILURES):
            return SinkError(f"Firestore did not accept a write: {text}")
    return None


# In gRPC's text of a connection that a proxy refuses.
_PROXY_STATUS = re.compile(r"HTTP proxy returned response code (\d{3})")


def _failure_text(error: Exception) -> str:
    """Return the error's text, with the proxy of the connection, or what the proxy answered."""
    text, proxy = first_line_of_error(error), _proxy_of_firestore()
    if proxy is None:
        return text
    if found := _PROXY_STATUS.search(text):
        return proxy_refusal_text(proxy, int(found[1]))
    # A library's error may quote the URL that it was given.
    return f"{text.replace(proxy.url_with_credentials, proxy.address)}{via_proxy(proxy)}"


def _proxy_of_firestore() -> Proxy | None:
    try:
        return proxy_for_url(f"grpc://{emulator_address(os.environ) or FIRESTORE_HOST}")
    except UnusableVariableError:
        return None
