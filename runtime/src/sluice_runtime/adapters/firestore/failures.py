"""Conversion of Firestore's exceptions to the errors of the Sink port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from ...domain.failure import SinkError
from .connection import DEADLINE_SECONDS
from .credentials import first_line_of_error

# An early retry cannot succeed: permissions or settings must be changed first.
_LASTING = (exceptions.PermissionDenied, exceptions.InvalidArgument, exceptions.NotFound, exceptions.Unauthenticated)
_LASTING_SECONDS = 30.0
# Google's packages also raise errors about credentials, gRPC, and values that cannot be encoded.
_FAILURES = (exceptions.GoogleAPIError, GoogleAuthError, OSError, ValueError)


@contextmanager
def raising_sink_errors() -> Iterator[None]:
    """Convert exceptions of Google's packages to SinkError, whose sentence contains no secrets."""
    try:
        yield
    except _LASTING as error:
        raise SinkError(f"Firestore refused the request: {first_line_of_error(error)}", _LASTING_SECONDS) from error
    except (exceptions.DeadlineExceeded, TimeoutError) as error:
        raise SinkError(f"Firestore did not accept a write within {DEADLINE_SECONDS} s") from error
    except _FAILURES as error:
        raise SinkError(f"Firestore did not accept a write: {first_line_of_error(error)}") from error
