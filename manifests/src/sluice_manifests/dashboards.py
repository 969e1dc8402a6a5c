"""The files of the Grafana dashboards in manifests/monitoring/dashboards."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sluice_manifests.dashboard_panels import dashboard_json
from sluice_manifests.feeds_dashboard import FEEDS
from sluice_manifests.operator_dashboard import OPERATOR

DASHBOARDS: Final = {"feeds.json": FEEDS, "operator.json": OPERATOR}


def write_dashboards(folder: Path) -> None:
    """Write each dashboard to its file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dashboard in DASHBOARDS.items():
        (folder / name).write_text(dashboard_json(dashboard))
