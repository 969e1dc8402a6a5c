"""`make dashboard` against a cluster: what the page receives, and that its user may read."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from sluice_devcluster import dashboard
from sluice_devcluster.controlplane import find_free_port
from sluice_devcluster.emulator_documents import PROJECT
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import StateDirectory
from sluice_devcluster.quickstart import Quickstart
from support.deadlines import scaled
from support.rules_client import RulesClient, unsigned_token
from support.site import Tenant, eventually


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built page. Its server prefers a port that no other test uses."""
    monkeypatch.setattr(dashboard, "PREFERRED_PORT", find_free_port())
    (tmp_path / "index.html").write_text("<!doctype html>")
    return tmp_path


def test_the_page_is_served_for_a_member_of_the_tenant(
    site: Quickstart, tenant: Tenant, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.apply(
        firestore={"liveQuotesCollection": "live_quotes"}, heartbeat={"document": "beat", "intervalSeconds": 1}
    )
    site.start_dashboard(page, tenant.name)
    try:
        url = capsys.readouterr().out.splitlines()[-1]
        with urllib.request.urlopen(f"{url}config.json", timeout=scaled(5)) as response:  # noqa: S310  on this machine
            config = json.load(response)
        assert config["feeds"] == [{"document": "beat", "collection": "live_quotes"}]
        assert config["mockUser"] == {"uid": dashboard.USER, "tenantId": tenant.name}
        client = RulesClient(config["emulatorHost"], PROJECT)
        member = unsigned_token(config["mockUser"]["uid"], tenant_id=config["mockUser"]["tenantId"])
        heartbeat = f"tenants/{tenant.name}/ops/beat"
        assert eventually(lambda: client.get(member, heartbeat) == 200)
        assert client.list(member, f"tenants/{tenant.name}/live_quotes/SPY") == 200
        assert client.get(None, heartbeat) == 403
        client.close()
        site.show_status()
        assert f"Dashboard: {url}" in capsys.readouterr().out
    finally:
        dashboard.stop_page_server(StateDirectory(site.kubeconfig.parent))
    site.show_status()
    assert "`make dashboard` starts it again" in capsys.readouterr().out


def test_a_tenant_without_a_job_says_what_to_do(site: Quickstart, page: Path) -> None:
    with pytest.raises(DevclusterError, match="Tenant none has no job: apply one"):
        site.start_dashboard(page, "none")


def test_the_command_checks_first_that_the_emulator_answers(site: Quickstart, monkeypatch: pytest.MonkeyPatch) -> None:
    site.require_running()
    monkeypatch.setattr(site, "emulator", "127.0.0.1:9")
    with pytest.raises(DevclusterError, match="does not answer: run `make up`"):
        site.require_running()
