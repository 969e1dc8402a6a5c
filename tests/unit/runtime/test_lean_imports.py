import gc
import os
import ssl
import subprocess
import sys

import pytest

from sluice_runtime.lean_imports import faster_imports


def test_the_lean_imports_run_no_garbage_collection() -> None:
    with faster_imports():
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize("before", [None, "/etc/ssl/own.pem"])
def test_no_certificate_is_trusted_during_the_import_and_the_previous_ones_are_afterwards(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    else:
        monkeypatch.setenv("SSL_CERT_FILE", before)
    with faster_imports():
        assert ssl.create_default_context().get_ca_certs() == []
    assert os.environ.get("SSL_CERT_FILE") == before


def test_an_import_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with pytest.raises(ImportError), faster_imports():
        raise ImportError
    assert gc.isenabled()
    assert "SSL_CERT_DIR" not in os.environ


def test_the_machine_s_certificates_can_still_be_loaded() -> None:
    program = """
import ssl
import subprocess
import sys
from sluice_runtime.lean_imports import faster_imports
with faster_imports():
    from sluice_runtime.adapters.alpaca.websocket import system_tls_context
assert system_tls_context().cert_store_stats() == ssl.create_default_context().cert_store_stats()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_requests_is_loaded_without_tables_of_encodings_and_takes_text_for_utf_8() -> None:
    program = """
import sys
import warnings
warnings.simplefilter("error")
from sluice_runtime.lean_imports import faster_imports
with faster_imports():
    from sluice_runtime.adapters.firestore import sink
import requests
assert not {"chardet", "charset_normalizer"} & sys.modules.keys()
answer = requests.Response()
answer._content = "Zürich".encode()
assert answer.text == "Zürich"
import charset_normalizer
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
