"""The objects of the Helm chart, rendered by helm."""

from __future__ import annotations

from pathlib import Path

from sluice_manifests.objects import Manifest, parse_objects
from sluice_manifests.tools import run_and_return_output

ROOT = Path(__file__).parents[2]
CHART = ROOT / "manifests/chart"
NAMESPACE = "sluice-system"


def rendered(helm: Path, *values: str, namespace: str = NAMESPACE, chart: Path = CHART) -> list[Manifest]:
    """Return the objects of the chart with values that a user sets."""
    given = [argument for value in values for argument in ("--set", value)]
    return parse_objects(run_and_return_output(helm, "template", "sluice", chart, "--namespace", namespace, *given))
