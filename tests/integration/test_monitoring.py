"""A real Prometheus scrapes pods and operator: each query finds its series, and an alert notices a deleted pod."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sluice_contract import conditions
from sluice_devcluster.quickstart import Quickstart
from support.deadlines import scaled
from support.prometheus import ROOT, alerts, check_rules, dashboard_queries, rule_expressions
from support.promql import metric_and_matchers, names_in
from support.running_prometheus import Prometheus, running_prometheus
from support.site import Tenant, eventually, streaming_from
from support.upstream import Upstream

EXPRESSIONS = dict([*rule_expressions(), *dashboard_queries()])
FINALIZER = "tests.sluice.dev/keep"
# The series has the present reason only, so that others are compared with the contract.
REASON_SERIES = "sluice_ingestjob_ready_reason"
# They come last, because they depend on other series.
LAST_SERIES = (
    "sluice_operator_key_shared",
    "sluice_ingestjob_pause_until_timestamp_seconds",
    "sluice:slo_fresh:ratio_28d",
    "sluice:slo_fast:late_ratio_1h",
    "sluice:slo_fast:ratio_28d",
    "sluice:slo_stops:ratio_28d",
    "sluice:slo_survives:epoch_changes_28d",
)
READS = re.compile(r"kubectl (?:get|describe|logs) .*")
RUNBOOKS = {name: (ROOT / f"docs/runbooks/{name}.md").read_text() for name in alerts()}


@pytest.fixture(scope="module")
def feeds(site: Quickstart) -> Iterator[tuple[Tenant, Tenant]]:
    """Two tenants: the first one has three jobs that stream; the second one uses the key of the first of them."""
    tenants = (Tenant(site.kubectl, site.emulator, "watched"), Tenant(site.kubectl, site.emulator, "intruder"))
    with Upstream("--quotes-per-second", "50") as upstream:
        for tenant in tenants:
            tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
        first, second = tenants
        first.apply(**streaming_from(upstream))
        for name in ("paused", "deleted"):
            first.apply(name, firestore={"liveQuotesCollection": name}, heartbeat={"document": name})
        for name in ("feed", "paused", "deleted"):
            first.settled("Streaming", name)
        second.apply(**streaming_from(upstream))
        yield tenants
    for tenant in tenants:
        site.kubectl("delete", "namespace", tenant.name, "--wait=false")


@pytest.fixture(scope="module")
def prometheus(
    site: Quickstart, feeds: tuple[Tenant, Tenant], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """Prometheus, after it has scraped the operator and all pods, and the pause of one job."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), site.kubectl) as running:
        wanted = {"sluice-system/sluice-operator": 1, "sluice-system/sluice-ingest": 4, "kube-state-metrics": 1}
        eventually(lambda: _at_least(running.healthy_targets(), wanted), 30)
        eventually(lambda: running.series('ingest_pause_seconds_count{name="paused"}'))
        until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        feeds[0].patch("paused", pause={"reason": "test", "until": until})
        feeds[0].settled("Paused", "paused")
        for series in LAST_SERIES:
            eventually(partial(running.series, series), 30)
        yield running


def _at_least(found: dict[str, int], wanted: dict[str, int]) -> bool:
    return all(found.get(name, 0) >= count for name, count in wanted.items())


def test_promtool_accepts_each_expression(tmp_path: Path) -> None:
    rules = [{"record": f"checked:{number}:query", "expr": each} for number, each in enumerate(EXPRESSIONS.values())]
    assert len(rules) > 80
    assert check_rules(tmp_path, [{"name": "queries", "rules": rules}]) == ""


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_each_metric_label_and_value_of_an_expression_occurs(where: str, prometheus: Prometheus) -> None:
    names = names_in(EXPRESSIONS[where])
    assert names.selectors
    labels: set[str] = set()
    for selector in names.selectors:
        metric, matchers = metric_and_matchers(selector)
        series = prometheus.series(metric)
        assert series, f"no series of {metric}"
        assert matchers.keys() <= set().union(*series), selector
        labels |= set().union(*series)
        for label, values in matchers.items():
            known = {each.get(label) for each in series} | {".*", "any"}
            known |= conditions.REASONS.keys() if metric == REASON_SERIES else set()
            assert set(values.split("|")) <= known, selector
    assert names.labels <= labels


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_each_expression_can_be_evaluated(where: str, prometheus: Prometheus) -> None:
    prometheus.query(EXPRESSIONS[where])


def test_each_series_of_a_job_has_the_same_labels_in_pod_and_operator(prometheus: Prometheus) -> None:
    for metric in ("sluice_ingestjob_info", "ingest_active"):
        jobs = {(each["namespace"], each["name"], each["tenant"]) for each in prometheus.series(metric)}
        assert {("watched", name, "watched") for name in ("feed", "paused", "deleted")} <= jobs
        assert not [each for each in prometheus.series(metric) if "exported_namespace" in each]


def test_no_rule_fails(prometheus: Prometheus) -> None:
    assert prometheus.unhealthy_rules() == {}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_commands_that_read_work_as_a_runbook_has_them(
    name: str, site: Quickstart, feeds: tuple[Tenant, Tenant]
) -> None:
    environment = {**os.environ, "KUBECONFIG": str(site.kubeconfig)}
    for block in re.findall(r"```sh\n(.*?)```", RUNBOOKS[name], re.DOTALL):
        for line in READS.findall(block):
            if "--previous" in line:  # the container has never been restarted
                continue
            command = line.partition(" | ")[0].replace("NAMESPACE", feeds[0].name).replace("JOB", "feed")
            command = command.replace("feed:.metadata", "JOB:.metadata").replace(f"'{feeds[0].name}:.", "'NAMESPACE:.")
            done = subprocess.run(
                ["bash", "-c", command],
                env=environment,
                capture_output=True,
                text=True,
                timeout=scaled(30),
                check=False,
            )
            problems = [each for each in done.stderr.splitlines() if not each.startswith("No resources found")]
            assert (done.returncode, problems) == (0, []), command


def test_the_api_server_accepts_the_documents_of_runbooks(feeds: tuple[Tenant, Tenant]) -> None:
    tenant = feeds[0]
    documents = [each for page in RUNBOOKS.values() for each in re.findall(r"<<'END'\n(.*?)\nEND\n", page, re.DOTALL)]
    assert documents
    for document in documents:
        text = document.replace("JOB", "feed").replace("SYMBOL", "SPY")
        tenant.kubectl("create", "-n", tenant.name, "--dry-run=server", "-f", "-", text=text)


def test_the_alert_for_a_deleted_pod_fires_and_ends(prometheus: Prometheus, feeds: tuple[Tenant, Tenant]) -> None:
    tenant = feeds[0]

    def alerts_of_job() -> list[dict[str, Any]]:
        labels = {"alertname": "SluiceFeedNotStreaming", "namespace": tenant.name, "name": "deleted"}
        return [each for each in prometheus.firing() if labels.items() <= each["labels"].items()]

    assert not alerts_of_job()
    # The finalizer keeps the object of the deleted pod, so that no new pod is created, as when its node is lost.
    _set_finalizers(tenant, [FINALIZER])
    try:
        tenant.run("delete", "pod", "deleted-ingest", "--wait=false")
        [alert] = eventually(alerts_of_job, 60)
        assert prometheus.query(f'ingest_active{{namespace="{tenant.name}",name="deleted"}}') == []
        assert alert["annotations"]["summary"] == f"{tenant.name}/deleted does not stream."
        assert alert["annotations"]["page_url"] == f"https://sluice.example/?tenant={tenant.name}&feed=deleted"
    finally:
        _set_finalizers(tenant, None)
    eventually(lambda: not alerts_of_job(), 60)
    tenant.settled("Streaming", "deleted")


def _set_finalizers(tenant: Tenant, finalizers: list[str] | None) -> None:
    change = json.dumps({"metadata": {"finalizers": finalizers}})
    tenant.run("patch", "pod", "deleted-ingest", "--type=merge", "-p", change)
