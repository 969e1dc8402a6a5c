"""Faster imports: a pod has to stream within half a second of its start, and imports take almost all of that."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_DETECTORS = ("chardet", "charset_normalizer")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # OpenSSL's own variables


@contextmanager
def faster_imports() -> Iterator[None]:
    """Import without garbage collection, and without loading certificates and tables that the pod may never need."""
    with ExitStack() as stack:
        stack.enter_context(_without_garbage_collection())
        stack.enter_context(_without_system_certificates())
        stack.enter_context(_without_encoding_detectors())
        yield


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Pause garbage collection, which takes a tenth of the start because it scans all loaded objects repeatedly.

    Objects that are loaded meanwhile stay until the process ends. Later collections do not scan them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def _without_system_certificates() -> Iterator[None]:
    """Keep aiohttp from parsing the system's certificates when it is imported, which takes another tenth of the start.

    Most pods have their own CA. aiohttp's default context therefore trusts no certificate, and code that needs the
    system's certificates calls `system_tls_context`.
    """
    before = {name: os.environ.get(name) for name in _CERTIFICATES}
    os.environ.update(dict.fromkeys(_CERTIFICATES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_encoding_detectors() -> Iterator[None]:
    """Import requests without its encoding detectors, whose tables take 4 MiB. Google's client uses it to get tokens.

    Without detectors, requests decodes text without a declared encoding as UTF-8. Its warning about them is suppressed.
    """
    absent = [name for name in _DETECTORS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None marks a module as absent
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
            yield
    finally:
        for name in absent:
            del sys.modules[name]
