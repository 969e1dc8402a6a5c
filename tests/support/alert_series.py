"""The series of a feed in promtool's notation: those of a healthy one, and the changes that make it another one.

The feed is job us-equities of namespace acme. All series are constant, or advance with the time, for two hours.
"""

from __future__ import annotations

from collections.abc import Mapping

_SAMPLES = 2 * 60 * 4
NOW = f"0+15x{_SAMPLES}"  # a timestamp that is always the present
Series = dict[str, str]

_JOB = 'namespace="acme",name="us-equities"'
_POD = f'{_JOB},tenant="acme",pod="us-equities-ingest"'
_CONDITIONS = ("Ready", "Paused", "Streaming", "ConnectionSlotAcquired", "PolicyCompliant", "Stalled")


def constant(value: float) -> str:
    """Return a series with one value."""
    return f"{value}x{_SAMPLES}"


def pod(metric: str, labels: str = "") -> str:
    """Return the name of a series that the pod exposes."""
    return f"{metric}{{{_POD}{',' + labels if labels else ''}}}"


def job(metric: str, labels: str = "") -> str:
    """Return the name of a series of the job that the operator exposes."""
    return f"{metric}{{{_JOB}{',' + labels if labels else ''}}}"


def condition(kind: str, status: str) -> Series:
    """Return the series of a condition with this status; with an empty status, those of an absent one."""
    return {
        job("sluice_ingestjob_status_condition", f'type="{kind}",status="{each}"'): constant(float(each == status))
        for each in ("True", "False")
    }


def reason(name: str) -> Series:
    """Return the series of the reason of Ready."""
    return {job("sluice_ingestjob_ready_reason", f'reason="{name}"'): constant(1)}


def freshness(**counts: int) -> Series:
    """Return the series of the symbols by freshness."""
    return {
        pod("ingest_freshness_symbols", f'state="{state}"'): constant(counts.get(state, 0))
        for state in ("live", "quiet", "stale", "closed", "halted", "paused")
    }


def write_latency(in_time: int, late: int) -> Series:
    """Return the histogram of a feed that writes this many quotes in time and late, each 15 s."""
    both, name = in_time + late, "ingest_event_to_write_seconds"
    return {
        pod(f"{name}_bucket", 'le="2.0"'): f"0+{in_time}x{_SAMPLES}",
        pod(f"{name}_bucket", 'le="+Inf"'): f"0+{both}x{_SAMPLES}",
        pod(f"{name}_count"): f"0+{both}x{_SAMPLES}",
    }


def pauses(in_time: int, late: int) -> Series:
    """Return the histogram of a pod that acknowledged this many pauses in time and late in the first minutes."""
    both, name = in_time + late, "ingest_pause_seconds"
    return {
        pod(f"{name}_bucket", 'le="5.0"'): f"0x8 {in_time}x{_SAMPLES}",
        pod(f"{name}_count"): f"0x8 {both}x{_SAMPLES}",
    }


def without(series: Mapping[str, str], *beginnings: str) -> Series:
    """Return the series whose names begin with none of these texts."""
    return {name: values for name, values in series.items() if not name.startswith(beginnings)}


def _operator_series() -> Series:
    labels = 'namespace="sluice-system",pod="sluice-operator-1"'
    return {
        job("sluice_ingestjob_info", 'tenant="acme",provider="alpaca",document="market_ingest"'): constant(1),
        job("sluice_ingestjob_heartbeat_timestamp_seconds"): NOW,
        job("sluice_ingestjob_epoch"): constant(1766380000000),
        f"sluice_operator_leader{{{labels}}}": constant(1),
        'sluice_operator_leader{namespace="sluice-system",pod="sluice-operator-2"}': constant(0),
        f"sluice_operator_queue_oldest_seconds{{{labels}}}": constant(0),
        f'sluice_operator_resync_repairs_total{{{labels},kind="pods"}}': constant(0),
        f'sluice_operator_build_info{{{labels},version="0.1.0"}}': constant(1),
    }


def _pod_series() -> Series:
    return {
        pod("ingest_active", 'provider="alpaca:iex"'): constant(1),
        pod("ingest_heartbeat_timestamp_seconds"): NOW,
        pod("ingest_sink_healthy", 'what="quotes"'): constant(1),
        pod("ingest_market_open"): constant(1),
        pod("ingest_paused"): constant(0),
        pod("ingest_starts_total", 'provider="alpaca:iex"'): constant(1),
        pod("ingest_symbols", 'state="rejected"'): constant(0),
        pod("ingest_quotes_written_total"): f"0+150x{_SAMPLES}",
        pod("ingest_quotes_waiting"): constant(0),
        pod("ingest_write_cap_documents_per_second"): constant(20),
        pod("ingest_market_calendar_end_timestamp_seconds"): constant(400 * 86400),
        'kube_pod_container_status_restarts_total{namespace="acme",pod="us-equities-ingest",container="ingest"}': (
            constant(0)
        ),
        **freshness(live=20, quiet=10),
        **write_latency(in_time=150, late=0),
        **pauses(in_time=0, late=0),
    }


def _with_conditions(*true: str) -> Series:
    found: Series = {}
    for kind in _CONDITIONS:
        found |= condition(kind, "True" if kind in true else "")
    return found


LIVE: Series = {
    **_operator_series(),
    **_pod_series(),
    **_with_conditions("Ready", "Streaming"),
    **reason("Streaming"),
}
# What the pod exposes of another feed vanishes with the pod. Its last sample is at 10 minutes.
_LAST_SAMPLES = 40
POD_PREFIXES = ("ingest_", "process_")


def vanished(series: Mapping[str, str]) -> Series:
    """Return the series of a feed whose pod vanishes after 10 minutes and is not replaced."""
    gone = {
        name: f"{values.rpartition('x')[0]}x{_LAST_SAMPLES} stale" if name.startswith(POD_PREFIXES) else values
        for name, values in series.items()
    }
    streaming = job("sluice_ingestjob_status_condition", 'type="Streaming",status="True"')
    began = job("sluice_ingestjob_ready_reason", 'reason="Streaming"')
    pending = job("sluice_ingestjob_ready_reason", 'reason="PodPending"')
    return gone | {
        streaming: f"1x{_LAST_SAMPLES} 0x{_SAMPLES}",
        began: f"1x{_LAST_SAMPLES} stale",
        pending: f"_x{_LAST_SAMPLES} 1x{_SAMPLES}",
    }
