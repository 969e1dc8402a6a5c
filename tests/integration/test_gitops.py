"""The tables of docs/gitops.md: each stop, followed by ten reconciliations of each tool, on a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.kubectl import Kubectl, KubectlError
from support.gitops_tools import (
    Job,
    Reconcile,
    argo_cd_client_side,
    argo_cd_server_side,
    flux,
    flux_with_ignore,
    flux_with_merge,
    live_jobs,
    respecting_ignored_differences,
)
from support.site import Tenant, eventually

PAGE = Path(__file__).resolve().parents[2] / "docs/gitops.md"
RECONCILIATIONS = 10
TOOLS: dict[str, Reconcile] = {
    "Argo CD, client-side apply": argo_cd_client_side,
    "Argo CD, server-side apply": argo_cd_server_side,
    "Flux": flux,
    "Argo CD, client-side, with both settings": respecting_ignored_differences(argo_cd_client_side),
    "Argo CD, server-side, with both settings": respecting_ignored_differences(argo_cd_server_side),
    "Flux, `ssa: Merge`": flux_with_merge,
    "Flux, `spec.ignore`": flux_with_ignore,
}
SPEC = {"provider": "synthetic", "symbols": ["SPY", "AAPL"]}
GIT: dict[str, dict[str, Any]] = {
    "anything": {"enabled": True, "pausedSymbols": []},
    "neither `enabled` nor `pause`": {},
    "`enabled: true`": {"enabled": True},
    "`pause`": {"pause": {"reason": "until the vendor answers"}},
    "`pausedSymbols` with AAPL": {"pausedSymbols": [{"symbol": "AAPL"}]},
}
Row = tuple[str, str]  # what Git declares, and the change


class Stop:
    """A stop of one job, and whether it still holds."""

    def __init__(self, kubectl: Kubectl, namespace: str, job: str) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._job = job
        self.spec: dict[str, Any] = {}  # as it was read last

    def patch(self, spec: dict[str, Any], *options: str) -> None:
        """Change the job as `kubectl patch` does."""
        self._run("patch", "ij", self._job, "--type=merge", *options, "-p", json.dumps({"spec": spec}))

    def apply_symbol(self, symbol: str) -> None:
        """Pause one symbol by server-side apply of its entry alone."""
        found = job(self._namespace, self._job) | {"spec": {"pausedSymbols": [{"symbol": symbol}]}}
        self._run("apply", "--server-side", "--field-manager=sluice", "-f", "-", text=json.dumps(found))

    def create_pauses(self) -> None:
        """Create an IngestPause, and a ClusterIngestPause that covers no job of another test."""
        for kind, spec in (("IngestPause", {"jobs": [self._job]}), ("ClusterIngestPause", {"symbols": ["GITOPS"]})):
            name = f"{self._namespace}-{self._job}"
            found = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
            self._run("create", "-f", "-", text=json.dumps(found | {"spec": spec | {"reason": "incident"}}))

    def delete_cluster_pause(self) -> None:
        """Delete the ClusterIngestPause, which the deletion of the namespace would leave."""
        self._run("delete", "cipause", f"{self._namespace}-{self._job}")

    def read_spec(self) -> Stop:
        """Read the spec of the job. Return the stop."""
        self.spec = self._kubectl.get("ij", self._job, "-n", self._namespace)["spec"]
        return self

    def has_both_pauses(self) -> bool:
        """Return whether the two objects are there, and unchanged."""
        name = f"{self._namespace}-{self._job}"
        found = (self._kubectl.get(kind, name, "-n", self._namespace) for kind in ("ipause", "cipause"))
        return all(
            each["metadata"]["generation"] == 1 and "deletionTimestamp" not in each["metadata"] for each in found
        )

    def _run(self, *arguments: str, text: str | None = None) -> None:
        self._kubectl("-n", self._namespace, *arguments, text=text)


def _is_disabled(stop: Stop) -> bool:
    return stop.spec.get("enabled") is False


def _is_paused(stop: Stop) -> bool:
    return stop.spec.get("pause") == {"reason": "incident"}


def _has_no_pause(stop: Stop) -> bool:
    return "pause" not in stop.spec


def _paused_symbols(stop: Stop) -> set[str]:
    return {each["symbol"] for each in stop.spec.get("pausedSymbols", [])}


def _has_spy_paused(stop: Stop) -> bool:
    return "SPY" in _paused_symbols(stop)


def _has_no_symbol_paused(stop: Stop) -> bool:
    return not _paused_symbols(stop)


SLUICE = "--field-manager=sluice"
PAUSE = {"pause": {"reason": "incident"}}
BOTH_SYMBOLS = {"pausedSymbols": [{"symbol": "AAPL"}, {"symbol": "SPY"}]}
STOPS: dict[str, tuple[Callable[[Stop], None], Callable[[Stop], bool]]] = {
    "an IngestPause or a ClusterIngestPause": (Stop.create_pauses, Stop.has_both_pauses),
    "`enabled: false`, manager `sluice`": (lambda stop: stop.patch({"enabled": False}, SLUICE), _is_disabled),
    "`enabled: false`, manager `kubectl-ingest`": (
        lambda stop: stop.patch({"enabled": False}, "--field-manager=kubectl-ingest"),
        _is_disabled,
    ),
    "`enabled: false`, `kubectl patch` without `--field-manager`": (
        lambda stop: stop.patch({"enabled": False}),
        _is_disabled,
    ),
    "`pause`, manager `sluice`": (lambda stop: stop.patch(PAUSE, SLUICE), _is_paused),
    "the reason of `pause` changed, manager `sluice`": (lambda stop: stop.patch(PAUSE, SLUICE), _is_paused),
    "`pause` removed, manager `sluice`": (lambda stop: stop.patch({"pause": None}, SLUICE), _has_no_pause),
    "AAPL removed by a merge patch, manager `sluice`": (
        lambda stop: stop.patch({"pausedSymbols": []}, SLUICE),
        _has_no_symbol_paused,
    ),
    "SPY added by a merge patch, manager `sluice`": (lambda stop: stop.patch(BOTH_SYMBOLS, SLUICE), _has_spy_paused),
    "SPY added by server-side apply, manager `sluice`": (lambda stop: stop.apply_symbol("SPY"), _has_spy_paused),
}


def page_tables() -> dict[str, dict[Row, str]]:
    """Return the cells of the tables of the page, by tool and row."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    found: dict[str, dict[Row, str]] = {}
    tools: list[str] = []
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines):
        if cells[:2] == ["Git declares", "the change"]:
            tools = cells[2:]
        elif cells[0] in GIT:
            for tool, cell in zip(tools, cells[2:], strict=True):
                found.setdefault(tool, {})[cells[0], cells[1]] = cell
    return found


def job(namespace: str, name: str, **spec: Any) -> Job:
    """Return the document of a job in Git."""
    return {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "IngestJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"tenant": namespace, "heartbeat": {"document": name}, **SPEC, **spec},
    }


def reconcile_ten_times(kubectl: Kubectl, namespace: str, reconcile: Reconcile, rows: list[Row]) -> dict[Row, str]:
    """Stop one job for each row, reconcile all of them ten times, and return what became of each stop."""
    names = [f"job-{number}" for number in range(len(rows))]
    jobs = [job(namespace, name, **GIT[git]) for name, (git, _) in zip(names, rows, strict=True)]
    stops = [Stop(kubectl, namespace, name) for name in names]

    def answers() -> list[bool]:
        live = live_jobs(kubectl, jobs)
        for name, stop in zip(names, stops, strict=True):
            stop.spec = live[name]["spec"]
        return [STOPS[kind][1](stop) for stop, (_, kind) in zip(stops, rows, strict=True)]

    reconcile(kubectl, jobs)
    for stop, (_, kind) in zip(stops, rows, strict=True):
        STOPS[kind][0](stop)
    assert all(answers())
    seen: list[list[bool]] = []
    for _ in range(RECONCILIATIONS):
        reconcile(kubectl, jobs)
        seen.append(answers())
    for stop, (_, kind) in zip(stops, rows, strict=True):
        if kind == "an IngestPause or a ClusterIngestPause":
            stop.delete_cluster_pause()
    words = {(True,) * RECONCILIATIONS: "holds", (False,) * RECONCILIATIONS: "undone"}
    return {row: words.get(each, str(each)) for row, each in zip(rows, zip(*seen, strict=True), strict=True)}


@pytest.fixture
def namespace_without_pods(tenant: Tenant, kubectl: Kubectl) -> str:
    """A namespace whose jobs get no pod, because a pause covers all of them."""
    spec = {"jobSelector": {}, "reason": "no pods"}
    found = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPause", "metadata": {"name": "no-pods"}, "spec": spec}
    kubectl("create", "-n", tenant.name, "-f", "-", text=json.dumps(found))
    return tenant.name


def test_the_page_has_a_column_for_each_tool_and_setting() -> None:
    assert set(page_tables()) == set(TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
def test_each_stop_holds_or_is_undone_as_the_page_says(
    tool: str, namespace_without_pods: str, kubectl: Kubectl
) -> None:
    expected = page_tables()[tool]
    assert reconcile_ten_times(kubectl, namespace_without_pods, TOOLS[tool], list(expected)) == expected


def test_a_resume_by_terraform_fails_and_leaves_the_stop(namespace_without_pods: str, kubectl: Kubectl) -> None:
    apply = ("apply", "--server-side", "--field-manager=Terraform", "-f", "-")
    declared = json.dumps(job(namespace_without_pods, "feed", enabled=True))
    kubectl(*apply, text=declared)
    stop = Stop(kubectl, namespace_without_pods, "feed")
    stop.patch({"enabled": False}, SLUICE)
    for _ in range(RECONCILIATIONS):
        with pytest.raises(KubectlError, match=r'conflict with "sluice".*spec\.enabled'):
            kubectl(*apply, text=declared)
        assert _is_disabled(stop.read_spec())
    kubectl(*apply, "--force-conflicts", text=declared)
    assert not _is_disabled(stop.read_spec())
    kubectl(*apply, text=json.dumps(job(namespace_without_pods, "other")))
    Stop(kubectl, namespace_without_pods, "other").patch({"enabled": False}, SLUICE)
    kubectl(*apply, text=json.dumps(job(namespace_without_pods, "other")))
    assert _is_disabled(Stop(kubectl, namespace_without_pods, "other").read_spec())


def test_an_end_time_that_git_lacks_can_be_added_to_a_pause_of_git(
    namespace_without_pods: str, kubectl: Kubectl
) -> None:
    until = "2100-01-01T00:00:00Z"
    for tool in (argo_cd_client_side, argo_cd_server_side, flux):
        name = tool.__name__.replace("_", "-")
        jobs = [job(namespace_without_pods, name, **GIT["`pause`"])]
        tool(kubectl, jobs)
        stop = Stop(kubectl, namespace_without_pods, name)
        stop.patch({"pause": {"until": until}}, SLUICE)
        for _ in range(RECONCILIATIONS):
            tool(kubectl, jobs)
            assert stop.read_spec().spec["pause"] == GIT["`pause`"]["pause"] | {"until": until}


@pytest.mark.parametrize("tool", ["Argo CD, client-side apply", "Argo CD, server-side apply", "Flux"])
def test_a_feed_that_was_stopped_stays_closed_through_ten_reconciliations(
    tool: str, tenant: Tenant, kubectl: Kubectl
) -> None:
    stop = Stop(kubectl, tenant.name, "feed")
    jobs = [job(tenant.name, "feed", synthetic={"quotesPerSecond": 50})]
    TOOLS[tool](kubectl, jobs)
    tenant.settled("Streaming")
    stop.patch({"enabled": False}, SLUICE)
    tenant.settled("Paused")
    writes = tenant.writes()
    for _ in range(RECONCILIATIONS):
        TOOLS[tool](kubectl, jobs)
        assert tenant.condition("Paused")[0] == "True"
    assert tenant.writes() == writes
    spec = {"jobs": ["feed"], "reason": "incident"}
    found = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPause", "metadata": {"name": "incident"}, "spec": spec}
    kubectl("create", "-n", tenant.name, "-f", "-", text=json.dumps(found))
    eventually(lambda: len(tenant.job()["status"]["stream"]["pause"]["sources"]) == 2)
    declared = [job(tenant.name, "feed", synthetic={"quotesPerSecond": 50}, enabled=True)]
    for _ in range(RECONCILIATIONS):
        TOOLS[tool](kubectl, declared)
        assert tenant.condition("Paused")[0] == "True"
    tenant.settled("Paused")
    assert tenant.job()["spec"]["enabled"] is True
    assert tenant.writes() == writes
