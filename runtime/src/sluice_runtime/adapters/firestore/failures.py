"""Conversion of Firestore's exceptions to the errors of the Sink port."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from sluice_contract.proxies import Proxy

from ...domain.failure import SinkError, UnusableVariableError
from ..http_proxies import proxy_for_url, proxy_refusal_text, via_proxy
from .connection import DEADLINE_SECONDS
from .credentials import FIRESTORE_HOST, emulator_address, first_line_of_error

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
        via = via_proxy(_proxy_of_firestore())
        raise SinkError(f"Firestore did not accept a write within {DEADLINE_SECONDS} s{via}") from error
    except _FAILURES as error:
        raise SinkError(f"Firestore did not accept a write: {_failure_text(error)}") from error


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
