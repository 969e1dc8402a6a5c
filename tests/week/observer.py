"""Reads everything that a runtime reports: its status, its heartbeat document and its quote documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from google.cloud import firestore

from sluice_contract.status import StreamGap, StreamStatus
from sluice_runtime.domain.health import stream_status
from sluice_runtime.standalone import StandaloneRuntime
from week.market import SimulatedMarket
from week.reports import Report, ReportLog, ReportPeriod

_SKEW_REPORTED_MILLISECONDS = 2000
_FAR_FROM_MARKET = 0.05  # of the true price


class Observer:
    """Records what is reported. `log` has the periods of all reports except gaps, and `phases` the market's phases."""

    def __init__(
        self, runtime: StandaloneRuntime, database: firestore.AsyncClient, tenant: str, market: SimulatedMarket
    ) -> None:
        self.log = ReportLog()
        self.phases: list[tuple[datetime, str]] = []
        self._runtime = runtime
        self._tenant = database.document(f"tenants/{tenant}")
        self._market = market

    async def observe(self, at: datetime) -> None:
        """Record what is reported now."""
        reports = {*status_reports(stream_status(self._runtime.view.snapshot()))}
        async for quote in self._tenant.collection("live_quotes").stream():
            reports |= {*quote_reports(quote.to_dict() or {}, self._market.prices)}
        await self._record_phase(at)
        self.log.record(reports, at)

    def gap_periods(self) -> list[ReportPeriod]:
        """Return the gaps that the runtime has recorded."""
        return [gap_period(each) for each in self._runtime.state.gaps.closed_gaps]

    async def _record_phase(self, at: datetime) -> None:
        heartbeat = (await self._tenant.collection("ops").document("market_ingest").get()).to_dict() or {}
        phase = heartbeat.get("market")
        if phase in ("open", "closed") and (not self.phases or self.phases[-1][1] != phase):
            self.phases.append((at, phase))


def status_reports(status: StreamStatus) -> Iterator[Report]:
    """Yield the deviations from normal in a status."""
    for kind, names in (
        ("stale", status.symbols.stale_symbols),
        ("halted", status.symbols.halted_symbols),
        ("unheard", status.symbols.unheard_symbols),
        ("rejected", [each.symbol for each in status.symbols.rejections]),
    ):
        yield from (Report(kind, name) for name in names)
    if status.failure is not None:
        yield Report("failure", status.failure.type)
    if not status.sink.healthy:
        yield Report("sink failure")
    skew = status.clock_skew_milliseconds
    if skew is not None and abs(skew) > _SKEW_REPORTED_MILLISECONDS:
        yield Report("clock skew")


def quote_reports(fields: Mapping[str, Any], prices: Mapping[str, float]) -> Iterator[Report]:
    """Yield the deviations from normal in a quote document. `prices` has the true prices."""
    symbol, price, status = str(fields.get("symbol")), fields.get("price"), fields.get("status")
    if status != "live":
        yield Report(f"document {status}", symbol)
    if price is None:
        yield Report("no price", symbol)
    elif symbol not in prices or abs(price / prices[symbol] - 1) > _FAR_FROM_MARKET:
        yield Report("price far from the market", symbol)


def gap_period(gap: StreamGap) -> ReportPeriod:
    """Return a gap as a report."""
    return ReportPeriod(Report("gap", gap.cause), gap.from_, gap.to)
