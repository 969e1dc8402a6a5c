"""The Grafana dashboard of feeds: what streams, how fresh and how late it is, and what stands in the way."""

from __future__ import annotations

from typing import Final

from sluice_manifests.dashboard_panels import Dashboard, Panel, Query, Row, Variable

_JOB: Final = 'namespace=~"$namespace",name=~"$name"'
_FEED: Final = "{{namespace}}/{{name}}"
_CONDITION: Final = f"sluice_ingestjob_status_condition{{{_JOB}"


def _max(metric: str, labels: str = "") -> str:
    return f"max by (namespace, name{', ' + labels if labels else ''}) ({metric}{{{_JOB}}})"


def _rate(metric: str, labels: str = "") -> str:
    """Return the rate of a counter, per feed and per value of further labels."""
    more = f", {labels}" if labels else ""
    return f"sum by (namespace, name{more}) (rate({metric}{{{_JOB}}}[$__rate_interval]))"


def _quantile(share: float, metric: str) -> str:
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', 'le')})"


def _count_of_condition(kind: str, status: str) -> str:
    condition = f'max by (namespace, name) ({_CONDITION},type="{kind}",status="{status}"}})'
    return f"count({condition} == 1) or vector(0)"


_NOW = Row(
    "Now",
    (
        Panel("Feeds", "Declared jobs.", (Query(f"count({_max('sluice_ingestjob_info')})"),), kind="number", columns=4),
        Panel(
            "Streaming",
            "Jobs whose stream is live, by the operator.",
            (Query(_count_of_condition("Streaming", "True")),),
            kind="number",
            columns=5,
        ),
        Panel(
            "Paused",
            "Jobs with an acknowledged pause.",
            (Query(_count_of_condition("Paused", "True")),),
            kind="number",
            columns=5,
        ),
        Panel(
            "Need action",
            "Jobs that cannot continue until a person acts.",
            (Query(_count_of_condition("Stalled", "True")),),
            kind="number",
            columns=5,
        ),
        Panel(
            "Pauses not confirmed",
            "Jobs whose pod has not confirmed a pause. It may still write quotes.",
            (Query(_count_of_condition("Paused", "False")),),
            kind="number",
            columns=5,
        ),
        Panel(
            "Reasons",
            "The reason of condition Ready of each job. docs/ingestjob.md has the meaning and the remedy of each.",
            (Query(f"{_max('sluice_ingestjob_ready_reason', 'reason')} == 1"),),
            kind="table",
            columns=12,
        ),
        Panel(
            "Live streams",
            "1 while the pod of a feed streams. A line that ends is a pod that vanished.",
            (Query(_max("ingest_active"), _FEED),),
            columns=12,
        ),
    ),
)

_FRESHNESS = Row(
    "Freshness and latency",
    (
        Panel(
            "Stale symbols",
            "Symbols that ticked often and are silent, as a share of those that could tick.",
            (
                Query(
                    f'sum by (namespace, name) (ingest_freshness_symbols{{{_JOB},state="stale"}}) / '
                    f'(sum by (namespace, name) (ingest_freshness_symbols{{{_JOB},state=~"live|quiet|stale"}}) > 0)',
                    _FEED,
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Symbols by freshness",
            "All selected feeds together.",
            (Query(f"sum by (state) (ingest_freshness_symbols{{{_JOB}}})", "{{state}}"),),
        ),
        Panel(
            "Age of the heartbeat",
            "Seconds since Firestore acknowledged a heartbeat. Readers call a feed stale after 30.",
            (Query(f"time() - {_max('ingest_heartbeat_timestamp_seconds')}", _FEED),),
            "s",
        ),
        Panel(
            "From event to write, p99",
            "99 % of the quotes were written within this time of their event. The objective is 2 s.",
            (Query(_quantile(0.99, "ingest_event_to_write_seconds"), _FEED),),
            "s",
        ),
        Panel(
            "From event to arrival, p99",
            "The share of the provider and of the network in the time to the left.",
            (Query(_quantile(0.99, "ingest_event_to_receive_seconds"), _FEED),),
            "s",
        ),
        Panel(
            "Firestore requests, p99",
            "How long Firestore takes for a request.",
            (Query(_quantile(0.99, "ingest_firestore_request_seconds"), _FEED),),
            "s",
        ),
    ),
)

_WRITES = Row(
    "Quotes and writes",
    (
        Panel(
            "Quotes received",
            "Quotes per second that the provider sent for subscribed symbols.",
            (Query(_rate("ingest_quotes_received_total"), _FEED),),
            "ops",
        ),
        Panel(
            "Quotes written, and the limit",
            "Documents per second, and spec.limits.writesPerSecond.",
            (
                Query(_rate("ingest_quotes_written_total"), _FEED),
                Query(_max("ingest_write_cap_documents_per_second"), f"{_FEED} limit"),
            ),
            "ops",
        ),
        Panel(
            "Quotes that wait",
            "Symbols with a quote that waits for its write. Only the newest quote of a symbol waits.",
            (Query(_max("ingest_quotes_waiting"), _FEED),),
        ),
        Panel(
            "Failing writes",
            "1 while the last write of this kind failed.",
            (Query(f"1 - min by (namespace, name, what) (ingest_sink_healthy{{{_JOB}}})", f"{_FEED} {{{{what}}}}"),),
        ),
        Panel(
            "Errors",
            "Errors per second, by stage.",
            (Query(f"{_rate('ingest_errors_total', 'stage')} > 0", f"{_FEED} {{{{stage}}}}"),),
            "ops",
        ),
        Panel(
            "Documents written today",
            "Documents of the day that Firestore counts towards a quota.",
            (Query(_max("ingest_write_budget_used_documents"), _FEED),),
        ),
    ),
)

_CONNECTION = Row(
    "Connection, gaps and pauses",
    (
        Panel(
            "Attempts to connect",
            "Attempts within 15 minutes. More than 5 fire SluiceFlapping.",
            (Query(f"max by (namespace, name) (increase(ingest_starts_total{{{_JOB}}}[15m]))", _FEED),),
        ),
        Panel(
            "Time in each state of the stream",
            "The share of the time that the streams spent in each state.",
            (
                Query(
                    f"sum by (state) (rate(ingest_stream_state_seconds_total{{{_JOB}}}[$__rate_interval])) / "
                    f"scalar(sum(rate(ingest_stream_state_seconds_total{{{_JOB}}}[$__rate_interval])))",
                    "{{state}}",
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Gaps",
            "Seconds of gaps that ended within an hour, by cause.",
            (Query(f"sum by (cause) (increase(ingest_gap_seconds_total{{{_JOB}}}[1h]))", "{{cause}}"),),
            "s",
        ),
        Panel(
            "From pause to acknowledgement, p99",
            "How long the pods took until no quote was written any more, over an hour. The objective is 5 s.",
            (Query(f"histogram_quantile(0.99, sum by (le) (increase(ingest_pause_seconds_bucket{{{_JOB}}}[1h])))"),),
            "s",
        ),
        Panel(
            "Paused by",
            "The switches that pause feeds now, by kind.",
            (Query(f"sum by (source) (ingest_paused_by{{{_JOB}}})", "{{source}}"),),
        ),
        Panel(
            "Rejected symbols",
            "Declared symbols that the provider rejects.",
            (Query(f'max by (namespace, name) (ingest_symbols{{{_JOB},state="rejected"}})', _FEED),),
        ),
    ),
)

_PODS = Row(
    "Pods and objectives",
    (
        Panel(
            "Memory",
            "Resident memory of the pods' processes.",
            (Query(f"process_resident_memory_bytes{{{_JOB}}} and on (namespace, name, pod) ingest_active", _FEED),),
            "bytes",
            columns=6,
        ),
        Panel(
            "CPU",
            "Seconds of CPU per second.",
            (
                Query(
                    f"rate(process_cpu_seconds_total{{{_JOB}}}[$__rate_interval]) "
                    "and on (namespace, name, pod) ingest_active",
                    _FEED,
                ),
            ),
            columns=6,
        ),
        Panel(
            "Fresh minutes, 28 days",
            "The share of the minutes of an open market in which the feed was fresh. The objective is 99.9 %.",
            (Query(_max("sluice:slo_fresh:ratio_28d"), _FEED),),
            "percentunit",
            columns=6,
        ),
        Panel(
            "Quotes in time, 28 days",
            "The share of the quotes written within 2 s of their event. The objective is 99 %.",
            (Query(_max("sluice:slo_fast:ratio_28d"), _FEED),),
            "percentunit",
            columns=6,
        ),
    ),
)

FEEDS: Final = Dashboard(
    uid="sluice-feeds",
    title="Sluice / Feeds",
    description="What streams, how fresh and how late it is, and what stands in the way.",
    variables=(
        Variable("namespace", "Namespace", "label_values(sluice_ingestjob_info, namespace)"),
        Variable("name", "Job", 'label_values(sluice_ingestjob_info{namespace=~"$namespace"}, name)'),
    ),
    rows=(_NOW, _FRESHNESS, _WRITES, _CONNECTION, _PODS),
)
