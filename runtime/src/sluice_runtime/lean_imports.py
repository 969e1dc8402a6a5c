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
    """Import without garbage collections, and without certificates and tables that the pod may never need."""
    with ExitStack() as stack:
        stack.enter_context(_without_garbage_collection())
        stack.enter_context(_without_system_certificates())
        stack.enter_context(_without_encoding_detectors())
        yield


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """The collector looks through all that is loaded time and again, a tenth of the start.

    What was loaded stays until the end, and is never looked through again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def _without_system_certificates() -> Iterator[None]:
    """aiohttp parses all that the machine trusts when it is imported, another tenth; most pods have a CA of their own.

    So its default context trusts no certificate; code that needs the machine's trust calls `system_tls_context`.
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
    """requests, which Google's client brings for its tokens, loads 4 MiB of tables to guess what text is encoded in.

    It does without where there are none, after a warning, and takes text that says nothing for UTF-8.
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
