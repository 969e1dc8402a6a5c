"""Grafana dashboards as data: rows of panels with queries, and the JSON that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueGraphMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, VariableRefresh, VariableSort
from grafana_foundation_sdk.models.dashboard import Panel as GrafanaPanel
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
Kind = Literal["lines", "number", "table"]


@dataclass(frozen=True)
class Query:
    """A query in PromQL, and the name of each of its series: `{{label}}` is the value of a label."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel. Its description says how to read it. `unit` is one of Grafana's units; a row is 24 columns wide."""

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = "lines"
    columns: int = 8


@dataclass(frozen=True)
class Row:
    """A titled row of panels."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A selection at the top of a dashboard: the values of a label, of the series of a query."""

    name: str
    label: str
    query: str  # label_values(SERIES, LABEL)


@dataclass(frozen=True)
class Dashboard:
    """A dashboard. `uid` is its identity in Grafana and part of its address."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


def dashboard_json(dashboard: Dashboard) -> str:
    """Return the dashboard in Grafana's JSON."""
    builder = (
        builders.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags(["sluice"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in dashboard.variables:
        builder.with_variable(_query_variable(variable))
    for row in dashboard.rows:
        builder.with_row(builders.Row(row.title))
        for panel in row.panels:
            builder.with_panel(_panel(panel))
    return json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _query_variable(variable: Variable) -> builders.QueryVariable:
    return (
        builders.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query(variable.query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def _panel(panel: Panel) -> Builder[GrafanaPanel]:
    make = {"lines": _lines, "number": _number, "table": _table}[panel.kind]
    return make(panel)


def _lines(panel: Panel) -> Builder[GrafanaPanel]:
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    found = timeseries.Panel().title(panel.title).description(panel.description).datasource(DATASOURCE)
    found = found.unit(panel.unit).min(0).span(panel.columns).height(8).legend(legend).fill_opacity(10)
    for query in _targets(panel.queries):
        found.with_target(query)
    return found


def _number(panel: Panel) -> Builder[GrafanaPanel]:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    found = stat.Panel().title(panel.title).description(panel.description).datasource(DATASOURCE)
    found = found.unit(panel.unit).span(panel.columns).height(4).reduce_options(last)
    found = found.graph_mode(BigValueGraphMode.NONE)
    for query in _targets(panel.queries):
        found.with_target(query.instant())
    return found


def _table(panel: Panel) -> Builder[GrafanaPanel]:
    found = table.Panel().title(panel.title).description(panel.description).datasource(DATASOURCE)
    found = found.unit(panel.unit).span(panel.columns).height(8)
    for query in _targets(panel.queries):
        found.with_target(query.instant().format(PromQueryFormat.TABLE))
    return found


def _targets(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(chr(ord("A") + position))
        for position, query in enumerate(queries)
    ]
