"""The objects of the Helm chart, rendered by helm."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from sluice_manifests.objects import Manifest
from sluice_manifests.tools import run_and_return_output

ROOT = Path(__file__).parents[2]
CHART = ROOT / "manifests/chart"
NAMESPACE = "sluice-system"
# The parser in C takes an eighth of the time, and the objects are large.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def rendered(helm: Path, *values: str, namespace: str = NAMESPACE, chart: Path = CHART) -> list[Manifest]:
    """Return the objects of the chart with values that a user sets. The caller may change them."""
    text = _rendered_text(helm, values, namespace, chart)
    return [each for each in yaml.load_all(text, _LOADER) if each]


@cache
def _rendered_text(helm: Path, values: tuple[str, ...], namespace: str, chart: Path) -> str:
    """Run helm. Many tests compare with the chart without values, so each result is kept."""
    given = [argument for value in values for argument in ("--set", value)]
    return run_and_return_output(helm, "template", "sluice", chart, "--namespace", namespace, *given)
