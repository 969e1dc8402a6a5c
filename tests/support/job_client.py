"""Fixtures: the client that a pod uses for its own IngestJob, and a fake API server with this one object."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluice_runtime.adapters.api_session import ApiServer
from sluice_runtime.adapters.ingestjob import IngestJobClient
from sluice_runtime.domain.backoff import Backoff
from support.api_server import FakeApiServer
from support.runtime_fakes import JOB_UID

TOKEN = "bound-token"


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer().serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mounted ServiceAccount token and the certificate of a CA that signed no server's certificate."""
    folder = tmp_path_factory.mktemp("serviceaccount")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "token").write_text(f"{TOKEN}\n")
    return folder


@pytest.fixture
async def client(server: FakeApiServer, credentials: Path) -> AsyncIterator[IngestJobClient]:
    made = connected(server.url, credentials)
    yield made
    await made.close()


def connected(url: str, credentials: Path) -> IngestJobClient:
    backoff = Backoff(0.02, 0.05, lambda _, high: high)
    return IngestJobClient(ApiServer(url=url, credentials=credentials), "acme", "us", JOB_UID, backoff)
