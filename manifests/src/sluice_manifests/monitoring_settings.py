"""The values of the chart about the objects of manifests/monitoring. monitoring_templates.py uses them."""

from __future__ import annotations

from sluice_manifests.settings import ChartSetting
from sluice_manifests.value_schemas import ADDRESS, LABELS

MONITORING_SETTINGS: tuple[ChartSetting, ...] = (
    ChartSetting(
        "monitoring.extraLabels",
        "Labels of the objects of monitoring, for example the one by which a Prometheus selects its rules.",
        LABELS,
        {},
    ),
    ChartSetting(
        "monitoring.pageURL",
        "The address of the dashboard's page, for the link page_url of alerts. Empty: no link.",
        ADDRESS,
        "",
    ),
    ChartSetting(
        "monitoring.runbookURL",
        "The address of the folder docs/runbooks, for the link runbook_url of alerts. Empty: no link.",
        ADDRESS,
        "",
    ),
)
