"""Parts of the runtime, configured for a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sluice_contract.alpaca import AlpacaEngine, AlpacaSettings
from sluice_contract.resource import decode_ingest_job
from sluice_contract.spec import Channel
from sluice_contract.values import SecretReference
from sluice_runtime.aio.latest_value import LatestValue
from sluice_runtime.domain.coalescer import Coalescer
from sluice_runtime.domain.declared_job import to_declared_job
from sluice_runtime.domain.desired import desired_state
from sluice_runtime.domain.health import RuntimeIdentity
from sluice_runtime.providers.alpaca.credentials import CredentialsReader
from sluice_runtime.providers.alpaca.source import AlpacaSource
from sluice_runtime.providers.alpaca.websocket import Timeouts
from sluice_runtime.state.runtime_state import RuntimeState

# A consumer is stopped between its turns; a shorter interval would make it consider its peer silent.
PING_SECONDS = 600.0


def alpaca(url: str, folder: Path, engine: AlpacaEngine) -> AlpacaSource:
    """Return the runtime's client of the server at `url`; `folder` is for the credentials."""
    (folder / "ALPACA_KEY_ID").write_text("key")
    (folder / "ALPACA_SECRET_KEY").write_text("secret")
    settings = AlpacaSettings(stream_url=url, credentials_secret_ref=SecretReference(name="alpaca"), engine=engine)
    return AlpacaSource(settings, CredentialsReader(settings, folder, None), Timeouts(ping=PING_SECONDS))


def runtime_state(symbols: Sequence[str], channels: Sequence[Channel] = ("quotes",)) -> RuntimeState:
    """Return the runtime's state of a job with these symbols and channels, which uses the wall clock."""
    document = {
        "metadata": {"name": "bench", "namespace": "bench", "uid": "0", "generation": 1},
        "spec": {"tenant": "bench", "provider": "synthetic", "symbols": list(symbols), "channels": list(channels)},
    }
    at = datetime.now(UTC)
    who = RuntimeIdentity(
        namespace="bench",
        name="bench",
        job_uid="0",
        pod_uid="0",
        tenant="bench",
        provider="alpaca",
        epoch=1,
        session_id="0",
        started_at=at,
    )
    job = decode_ingest_job(document)
    return RuntimeState(
        who, LatestValue(desired_state(to_declared_job(job), job.spec, at)), Coalescer(), lambda: datetime.now(UTC)
    )
