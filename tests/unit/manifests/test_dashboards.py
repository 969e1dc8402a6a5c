"""The Grafana dashboards: the checked-in files are generated, and Grafana can read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice_manifests.dashboards import DASHBOARDS, write_dashboards

FOLDER = Path(__file__).parents[3] / "manifests/monitoring/dashboards"


@pytest.fixture(params=DASHBOARDS)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A dashboard as Grafana reads it."""
    found: dict[str, Any] = json.loads((FOLDER / request.param).read_text())
    return found


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels without the titles of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_the_checked_in_files_are_the_generated_ones(tmp_path: Path) -> None:
    write_dashboards(tmp_path)
    assert {path.name for path in FOLDER.iterdir()} == set(DASHBOARDS)
    for name in DASHBOARDS:
        assert (FOLDER / name).read_text() == (tmp_path / name).read_text()


def test_each_panel_says_how_to_read_it_and_asks_the_chosen_data_source(dashboard: dict[str, Any]) -> None:
    assert len(panels(dashboard)) >= 18
    for panel in panels(dashboard):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [target["refId"] for target in panel["targets"]] == ["A", "B"][: len(panel["targets"])]


def test_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(column, row) for column in columns for row in rows}
        assert columns.stop <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


def test_titles_are_unique_and_the_first_variable_is_the_data_source(dashboard: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles))
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
