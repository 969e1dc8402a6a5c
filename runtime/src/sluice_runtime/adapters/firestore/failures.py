"""Conversion of Firestore's exceptions to the errors of the Sink port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from ...domain.failure import SinkError
from .connection import DEADLINE_SECONDS
from .credentials import first_line_of_error

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
    text = first_line_of_error(error)
    match error:
        case exceptions.InvalidArgument():
            return SinkError(f"Firestore refused the request: {text}", _LASTING_SECONDS, scope="documents")
        case exceptions.DeadlineExceeded() | TimeoutError():
            return SinkError(f"Firestore did not accept a write within {DEADLINE_SECONDS} s", scope="unknown")
        case _ if isinstance(error, _CONTENTION):
            return SinkError(f"Firestore did not accept a write: {text.rstrip('.')}; {_LOCKED}", scope="documents")
        case _ if isinstance(error, _FAILURES):
            return SinkError(f"Firestore did not accept a write: {text}")
    return None
