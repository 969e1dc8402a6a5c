"""docs/metrics.md lists each metric that a pod or the operator exposes, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from sluice_operator.parts import assembled_parts, register_gauges
from sluice_operator.settings import settings_from_environment
from sluice_runtime.adapters.http.metrics import RuntimeMetrics
from sluice_runtime.domain.clock_skew import ClockReading
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS
from support.runtime_fakes import desired, quote, runtime_state, runtime_view
from support.virtual_time import seconds

REAL_TIME = True
PAGE = (Path(__file__).resolve().parents[2] / "docs/metrics.md").read_text("utf-8")


def listed(*titles: str) -> set[str]:
    """Return the metrics in the first column of the tables below these titles."""
    sections = [PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0] for title in titles]
    rows = [row for section in sections for row in re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)]
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


def exposed(text: bytes) -> set[str]:
    """Return the metrics of an exposition, without the times of creation that prometheus_client adds."""
    found = re.findall(r"^# TYPE (\S+) ", text.decode(), re.MULTILINE)
    return {name for name in found if not name.endswith("_created")}


async def test_the_metrics_of_a_pod_are_listed() -> None:
    runtime = runtime_state(desired(limits={"writesPerDay": 20_000}))
    runtime.stream.on_state("Live")
    runtime.stream.on_ticks([quote("AAPL")])
    now = runtime.now()
    runtime.stream.on_provider_time(ClockReading(earliest=now, latest=now, sent_at=seconds(), received_at=seconds()))
    runtime.sink_health.record_quote_writes(1)
    runtime.destination_healths.health_of("nats").record_sent("quotes", 1)
    view = runtime_view(runtime, REGULAR_AND_EXTENDED_HOURS)
    assert exposed(RuntimeMetrics(view).encode_as_prometheus_text()) == listed("The pod")


async def test_the_metrics_of_the_operator_and_of_jobs_are_listed() -> None:
    settings = settings_from_environment({"SLUICE_RUNTIME_IMAGE": "sluice-runtime:0.1.0"})
    async with assembled_parts(settings, ApiClient(Configuration(host="http://127.0.0.1:1"))) as parts:
        register_gauges(parts)
        found = exposed(parts.metrics.encode_as_prometheus_text())
    of_process = {name for name in listed("The pod") if name.startswith("process_")}
    assert found == listed("The jobs", "The operator") | of_process
