"""Provider `ibkr`: quotes of Interactive Brokers, from an IB Gateway or TWS."""

from __future__ import annotations

from collections.abc import Mapping

from sluice_contract.spec import IngestJobSpec

from ...settings import Settings, SettingsError
from ..provider import Provider, ProviderClients


def _create_clients(settings: Settings, _environment: Mapping[str, str]) -> ProviderClients:
    from .source import IBKRSource  # noqa: PLC0415

    if settings.job.spec.ibkr is None:
        raise SettingsError("spec.ibkr is missing; name the host of an IB Gateway or TWS")
    return ProviderClients(source=IBKRSource(settings.job.spec.ibkr))


def _connection_key(spec: IngestJobSpec) -> str | None:
    """Return the gateway and the client ID, of which a gateway accepts one connection."""
    block = spec.ibkr
    return None if block is None else f"ibkr\n{block.host.lower()}\n{block.port}\n{block.client_id}"


PROVIDER = Provider(title="Interactive Brokers", create_clients=_create_clients, connection_key=_connection_key)
