"""Provider `synthetic`: quotes that the runtime generates itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sluice_contract.spec import IngestJobSpec
from sluice_contract.synthetic import SyntheticSettings

from ..domain.market_hours import ALWAYS_OPEN, MarketSchedule, with_sessions_of_job
from ..settings import Settings
from .provider import Provider, ProviderClients
from .simulated_quotes import SyntheticSource


def _create_clients(settings: Settings, _environment: Mapping[str, str]) -> ProviderClients:
    block = settings.job.spec.synthetic or SyntheticSettings()
    return ProviderClients(source=SyntheticSource(block, lambda: datetime.now(UTC)))


def _market_hours(spec: IngestJobSpec) -> MarketSchedule:
    return with_sessions_of_job(ALWAYS_OPEN, spec)  # generated quotes never stop


PROVIDER = Provider(title="synthetic", create_clients=_create_clients, market_hours=_market_hours)
