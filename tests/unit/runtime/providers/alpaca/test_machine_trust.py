"""SSL_CERT_FILE as an editor saves it."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_runtime.providers.alpaca.websocket import aiohttp_tls, system_tls_context
from support.certificates import self_signed
from support.encodings import ENCODINGS, Encode


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    system_tls_context.cache_clear()
    yield tmp_path / "ca.crt"
    system_tls_context.cache_clear()


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_its_certificate_is_trusted_once_in_every_encoding(file: Path, encode: Encode) -> None:
    file.write_bytes(encode(self_signed(file.parent)[0].read_text()))
    assert system_tls_context().cert_store_stats()["x509"] == 1


def test_a_file_that_cannot_be_read_is_reported_by_its_name(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes("-----BEGIN CERTIFICATE-----".encode("utf-16-le"))
    assert system_tls_context().cert_store_stats()["x509"] == 0
    [message] = caplog.messages
    assert message.startswith(f"SSL_CERT_FILE: {file} cannot be read: it looks like UTF-16 (little-endian)")


def test_aiohttp_uses_its_own_context_unless_a_file_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(self_signed(file.parent)[0].read_text())
    assert aiohttp_tls(None) is system_tls_context()
    declared = ssl.create_default_context()
    assert aiohttp_tls(declared) is declared
    monkeypatch.delenv("SSL_CERT_FILE")
    assert aiohttp_tls(None) is True
