"""`make status` against a cluster: many jobs and tenants, pauses, and parts that do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.quickstart import Quickstart
from support.site import Tenant, eventually


@pytest.fixture
def other_tenant(site: Quickstart, tenant: Tenant) -> Iterator[Tenant]:
    """A second tenant."""
    found = Tenant(site.kubectl, site.emulator, f"{tenant.name}-other")
    yield found
    site.kubectl("delete", "namespace", found.name, "--wait=false")


def wait_for_lines(
    site: Quickstart, capsys: pytest.CaptureFixture[str], job: str, text: str, seconds: float = 60.0
) -> list[str]:
    """Return the lines of `make status` about one job, once the first of them contains a text.

    An emulator that is too busy to answer in time is asked again.
    """

    def check() -> list[str] | None:
        capsys.readouterr()
        with suppress(DevclusterError):
            site.show_status()
        blocks = capsys.readouterr().out.split("\n\n")
        found = [block.splitlines() for block in blocks if block.startswith(f"{job}: ")]
        return found[0] if found and text in found[0][0] else None

    return eventually(check, seconds, every=0.2)


def test_each_job_has_its_heartbeat_and_the_verdict_on_each_quote(
    site: Quickstart, tenant: Tenant, other_tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.apply(symbols=["SPY", "BTC/USD"])
    tenant.apply(
        "second",
        symbols=["QQQ"],
        enabled=False,
        heartbeat={"document": "beat", "intervalSeconds": 1},
        firestore={"liveQuotesCollection": "latest", "projectID": "demo-other"},
    )
    other_tenant.apply(symbols=["SPY", "AAPL"], pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}])

    first = wait_for_lines(site, capsys, f"{tenant.name}/feed", "2 of 2 quotes are live and usable")
    assert first[0].startswith(f"{tenant.name}/feed: heartbeat says running, ")
    assert first[0].endswith(f"(tenants/{tenant.name}/live_quotes)")
    assert [line.split()[0] for line in first[2:]] == ["SPY", "BTC/USD"]
    assert all(line.endswith(" s  live and usable") for line in first[2:])

    second = wait_for_lines(site, capsys, f"{tenant.name}/second", "heartbeat says paused")
    assert second[0].endswith(f"0 of 1 quotes are live and usable (tenants/{tenant.name}/latest)")
    assert second[1].startswith("  No quote is live. The job is paused (by ")
    assert second[3].endswith("not live (paused)")

    other = wait_for_lines(site, capsys, f"{other_tenant.name}/feed", "1 of 2 quotes are live and usable")
    assert other[2].split()[0] == "AAPL"
    assert "not live: There is no quote of this symbol." in other[2]


def test_a_job_without_a_pod_shows_whose_heartbeat_it_reads(
    site: Quickstart, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    tenant.apply("later")
    wait_for_lines(site, capsys, f"{tenant.name}/later", f"heartbeat from {tenant.name}/feed says running")


def test_an_emulator_that_does_not_answer_says_what_to_do(
    site: Quickstart, tenant: Tenant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.apply()
    monkeypatch.setattr(site, "emulator", "127.0.0.1:9")
    with pytest.raises(DevclusterError, match="does not answer, so no quote can be read: run `make up`"):
        site.show_status()
    assert tenant.name in capsys.readouterr().out  # kubectl's table


def test_an_api_server_that_does_not_answer_says_what_to_do(site: Quickstart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.kubectl, "_command", [*site.kubectl._command, "--server=https://127.0.0.1:9"])
    with pytest.raises(DevclusterError, match="The cluster's API server does not answer: run `make up`"):
        site.show_status()
