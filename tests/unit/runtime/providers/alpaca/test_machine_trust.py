"""SSL_CERT_FILE as an editor saves it."""

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from sluice_runtime.providers.alpaca.websocket import aiohttp_tls, system_tls_context
from support.certificates import self_signed
from support.encodings import ENCODINGS, Encode

REAL_TIME = True


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


async def test_a_certificate_of_the_directory_is_loaded_when_a_server_presents_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", "")  # as in the image
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    of_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    of_server.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=of_server)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())
        (tmp_path / name_in_directory(certificate)).symlink_to(certificate)
        context = ssl.create_default_context()
        assert context.cert_store_stats()["x509"] == 0
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert context.cert_store_stats()["x509"] == 1
        writer.close()


def name_in_directory(certificate: Path) -> str:
    """Return the file name by which OpenSSL finds a certificate whose subject is in lower case, as `openssl rehash`."""
    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject.public_bytes()
    digest = hashlib.sha1(subject[2:]).digest()  # noqa: S324  OpenSSL's; without the header of the outer sequence
    return f"{int.from_bytes(digest[:4], 'little'):08x}.0"
