"""Both clients against a server whose certificate is signed by an unknown authority."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.values import SecretReference
from sluice_runtime.domain.failure import SnapshotError
from sluice_runtime.providers.alpaca import credentials as alpaca_mount
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.snapshots import AlpacaSnapshots
from sluice_simulators.alpaca import Account, AlpacaServer, ServerOptions
from support.alpaca_provider import SECRET, failure_of_connection, mount, source, streaming
from support.certificates import self_signed
from support.deadlines import wait_for
from support.fake_listener import FakeListener


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check for a changed ConfigMap often."""
    monkeypatch.setattr(alpaca_mount, "POLL_SECONDS", 0.02)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[AlpacaServer]:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with AlpacaServer([Account("key", SECRET)], options=ServerOptions(tls=context)) as running:
        yield running


@pytest.mark.parametrize("engine", get_args(AlpacaEngine))
async def test_an_unknown_authority_is_reported_before_the_login_and_adding_its_certificate_helps(
    server: AlpacaServer, tmp_path: Path, engine: AlpacaEngine
) -> None:
    trusted = tmp_path / "ca.crt"
    self_signed(tmp_path / "other")
    trusted.write_bytes((tmp_path / "other" / "certificate.pem").read_bytes())
    made = source(server.url(), mount(tmp_path, "key", SECRET), trusted, engine=engine)
    failure = await failure_of_connection(made, FakeListener())
    assert (failure.kind, failure.retry_within) == ("certificate", 120.0)
    assert f"the certificate of {server.url()} is not trusted" in failure.message
    assert "spec.alpaca.caConfigMapRef" in failure.message
    assert server.record.auth_outcomes == []
    waiting = asyncio.create_task(made.wait_for_fix())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    trusted.write_bytes((tmp_path / "certificate.pem").read_bytes())
    await wait_for(waiting, 2)
    async with streaming(made, FakeListener(), "AAPL"):
        assert server.record.auth_outcomes == ["authenticated"]


async def test_an_untrusted_certificate_is_also_reported_for_snapshots(server: AlpacaServer, tmp_path: Path) -> None:
    settings = AlpacaSettings(credentials_secret_ref=SecretReference(name="alpaca"))
    mounted = CredentialsReader(settings, mount(tmp_path, "key", SECRET), None)
    with pytest.raises(SnapshotError, match=r"/v2/stocks/snapshots cannot be reached: .*CERTIFICATE_VERIFY_FAILED"):
        await AlpacaSnapshots(settings, mounted, server.http_url).fetch_latest_quotes_and_trades(["AAPL"])
