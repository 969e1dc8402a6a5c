"""What goes wrong on the way to Firestore, as the errors of the Sink port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from ...domain.failure import SinkError
from .connection import DEADLINE_SECONDS
from .credentials import first_line

# A retry soon after cannot help: somebody has to change something first.
_LASTING = (exceptions.PermissionDenied, exceptions.InvalidArgument, exceptions.NotFound, exceptions.Unauthenticated)
_LASTING_SECONDS = 30.0
# Google's packages also raise errors of the credentials, of gRPC below, and of values that cannot be encoded.
_FAILURES = (exceptions.GoogleAPIError, GoogleAuthError, OSError, ValueError)


@contextmanager
def sink_errors() -> Iterator[None]:
    """Turn the exceptions of Google's packages into SinkError, with a sentence and without secrets."""
    try:
        yield
    except _LASTING as error:
        raise SinkError(f"Firestore refuses: {first_line(error)}", _LASTING_SECONDS) from error
    except (exceptions.DeadlineExceeded, TimeoutError) as error:
        raise SinkError(f"Firestore did not take a write within {DEADLINE_SECONDS} s") from error
    except _FAILURES as error:
        raise SinkError(f"Firestore did not take a write: {first_line(error)}") from error
