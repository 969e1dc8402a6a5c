"""`make status` against a cluster: many jobs and tenants, pauses, and an API server that does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.quickstart import Quickstart
from support.site import Tenant, eventually


@pytest.fixture(autouse=True)
def locale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locale with characters beyond ASCII."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def other_tenant(site: Quickstart, tenant: Tenant) -> Iterator[Tenant]:
    """A second tenant."""
    found = Tenant(site.kubectl, site.emulator, f"{tenant.name}-other")
    yield found
    site.kubectl("delete", "namespace", found.name, "--wait=false")


def wait_for_row(site: Quickstart, capsys: pytest.CaptureFixture[str], job: str, *texts: str) -> None:
    """Wait until `make status` shows a job in a row, or in the lines below it, with these texts."""

    def check() -> bool:
        capsys.readouterr()
        site.show_status()
        rows = capsys.readouterr().out.splitlines()
        first = next((number for number, row in enumerate(rows) if f" {job} " in row), None)
        return first is not None and all(text in " ".join(rows[first : first + 2]) for text in texts)

    eventually(check, 60, every=0.2)


def test_each_job_of_each_tenant_has_its_state(
    site: Quickstart, tenant: Tenant, other_tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.apply(symbols=["SPY", "BTC/USD"])
    own = {"firestore": {"liveQuotesCollection": "latest"}, "heartbeat": {"document": "second"}}
    tenant.apply("second", symbols=["QQQ"], enabled=False, **own)
    other_tenant.apply(symbols=["SPY", "AAPL"], pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}])
    wait_for_row(site, capsys, f"{tenant.name}/feed", "● ", "Running", "2/2", "2 live")
    wait_for_row(site, capsys, f"{tenant.name}/second", "‖ ", "Paused", "spec.enabled")
    wait_for_row(site, capsys, f"{other_tenant.name}/feed", "Running", "1 live", "1 paused")


def test_an_api_server_that_does_not_answer_says_what_to_do(
    site: Quickstart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    config = tmp_path / "config"
    config.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "x"}))
    monkeypatch.setattr(site, "kubeconfig", config)
    with pytest.raises(DevclusterError, match="The cluster's API server does not answer: run `make up`"):
        site.show_status()
