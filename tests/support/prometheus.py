"""Debian's package prometheus: promtool, and what it reads: the rules and queries of manifests/monitoring."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from support.deadlines import scaled

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "manifests/monitoring"
# What Grafana replaces before it sends a query.
_VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*", "$name": ".*"}


def program(name: str) -> str:
    """Return the path of a program of Debian's package prometheus. Raises AssertionError if it is not installed."""
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install prometheus (.ci/run does)"
    return found


def rule_groups() -> list[dict[str, Any]]:
    """Return the groups of all PrometheusRules."""
    return [
        group
        for name in ("alerts.yaml", "slos.yaml")
        for group in yaml.safe_load((MONITORING / name).read_text())["spec"]["groups"]
    ]


def alerts() -> dict[str, dict[str, Any]]:
    """Return all alerts by their name."""
    return {rule["alert"]: rule for group in rule_groups() for rule in group["rules"] if "alert" in rule}


def rule_expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression of a rule, and each query in an annotation, with the name of the rule."""
    for group in rule_groups():
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            yield name, rule["expr"]
            for key, text in rule.get("annotations", {}).items():
                for query in re.findall(r'query \(printf "([^"]+)"', text):
                    yield f"{name} {key}", query.replace("%q", '"any"')


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """Yield each query of the dashboards, as Grafana sends it, with the dashboard and the panel."""
    for path in sorted((MONITORING / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.stem}: {panel['title']}", _with_values(target["expr"])
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                series = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
                assert series, variable["query"]
                yield f"{path.stem}: ${variable['name']}", f"max by ({series[2]}) ({_with_values(series[1])})"


def _with_values(query: str) -> str:
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


def check_rules(folder: Path, groups: list[dict[str, Any]]) -> str:
    """Return what promtool finds wrong with the rules; empty if nothing."""
    path = folder / "checked.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    done = _promtool("check", "rules", str(path))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def unit_test_failures(folder: Path, series: Mapping[str, str], expectations: Mapping[str, Any]) -> str:
    """Run all rules on series with a sample every 15 s, and return what promtool finds different from the expectations.

    `series` are the values by the names with labels, in promtool's notation. The time of the first sample is 0.
    """
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rule_groups()}))
    test = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        **expectations,
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "15s", "tests": [test]}))
    done = _promtool("test", "rules", str(path))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=scaled(60))
