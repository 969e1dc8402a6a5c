"""The dashboard's page in Chromium, against the emulator with the security rules and real pods."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice_devcluster.quickstart import Quickstart
from support.browser import DESKTOP, PHONE, Browser
from support.page_checks import LISTENERS, chart_of, state_of, wait_for_price_change
from support.page_server import (
    STALE_AFTER_SECONDS,
    USER,
    add_member,
    get_document,
    put_document,
    remove_member,
    served_page,
)
from support.site import Tenant, eventually, streaming_from
from support.stop_checks import pod_of
from support.upstream import Upstream

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"

# The chart has a sample for each 4 s, and a line needs two in a row that are live: a busy machine may interrupt them.
CHART_SECONDS = 40

TAPE_COLUMNS = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange"

TakePicture = Callable[[str], None]


@pytest.fixture
def take_picture(browser: Browser) -> TakePicture:
    """A function that writes a picture of the documentation, if WRITE_IMAGES is set."""

    def take(name: str) -> None:
        if os.environ.get("WRITE_IMAGES"):
            browser.take_screenshot(IMAGES / f"dashboard-{name}.png")

    return take


def assert_accessible(browser: Browser) -> None:
    """Check the page with axe in light, in dark and at the width of a phone."""
    for size, dark in ((DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)):
        browser.show(size, dark=dark)
        assert browser.accessibility_violations() == [], (size, dark)
    browser.show()


def test_the_page_follows_a_job_through_pauses(
    tenant: Tenant, browser: Browser, url: str, take_picture: TakePicture
) -> None:
    tenant.apply(symbols=["SPY", "AAPL", "MSFT", "NVDA", "BRK.B", "QQQ", "AMZN", "META", "GOOGL", "JPM", "XOM", "V"])
    tenant.settled("Streaming")
    browser.show()
    browser.open(url)
    browser.wait_for_badge("LIVE")
    browser.wait_for(f"{state_of('SPY')}.includes('live')")
    wait_for_price_change(browser, "SPY")
    assert "12 of 12 confirmed" in browser.text(".facts")
    assert_accessible(browser)

    if os.environ.get("WRITE_IMAGES"):
        wait_for_some_history(tenant, browser)
    browser.wait_for(f"{chart_of('SPY')}.querySelector('path').getAttribute('d').includes('L')", CHART_SECONDS)
    tenant.patch(pausedSymbols=[{"symbol": "AAPL", "reason": "bad prints"}])
    browser.wait_for(f"{state_of('AAPL')}.includes('paused')")
    browser.wait_for("document.querySelector('tbody tr').dataset.symbol === 'AAPL'")
    assert browser.text(".badge").endswith("LIVE")
    take_picture("live")
    browser.show(dark=True)
    browser.press("j", "Enter")
    browser.wait_for_text(".detail", "AAPL is paused")
    assert "symbol=AAPL" in browser.evaluate("location.search")
    take_picture("symbol-dark")
    browser.press("Escape")
    browser.show()

    until = datetime.now(UTC) + timedelta(minutes=21)
    tenant.patch(pause={"reason": "vendor incident", "until": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
    browser.wait_for_badge("PAUSED")
    assert "vendor incident" in browser.text(".reason")
    assert "resumes in 2" in browser.text(".countdown")
    assert '{"spec":{"enabled":true,"pause":null}}' in browser.text(".command code")
    # The countdown advances each second, and must not be announced each second.
    assert "resumes in" not in browser.evaluate("document.querySelector('[role=status]').textContent")
    assert_accessible(browser)
    take_picture("paused")
    browser.show(PHONE)
    take_picture("phone")
    browser.show()
    browser.wait_for(f"{chart_of('SPY')}.querySelectorAll('.void').length >= 1")

    tenant.patch(pause=None)
    browser.wait_for_badge("LIVE")
    assert_the_pause_is_a_gap(browser)


def wait_for_some_history(tenant: Tenant, browser: Browser) -> None:
    """Let the strip and the sparklines of the pictures grow, with a gap between."""
    time.sleep(100)
    tenant.patch(pause={"reason": "vendor incident"})
    browser.wait_for_badge("PAUSED")
    time.sleep(20)
    tenant.patch(pause=None)
    browser.wait_for_badge("LIVE")
    time.sleep(60)


def assert_the_pause_is_a_gap(browser: Browser) -> None:
    """Check the strip and the sparkline of SPY: both began when the page was opened, and the price has a gap."""
    browser.wait_for_text(".gap-list", "pause")
    described = "document.querySelector('.hour svg').getAttribute('aria-label')"
    browser.wait_for(f"/^Since this page was opened: .*LIVE for/.test({described})")
    assert "PAUSED for" in browser.evaluate(described)
    # A line before the pause, and a line after it.
    lines = f"{chart_of('SPY')}.querySelector('path').getAttribute('d').split('M').length"
    browser.wait_for(f"{lines} >= 3", CHART_SECONDS)
    assert browser.evaluate(f"{chart_of('SPY')}.querySelectorAll('.void').length") >= 1


def test_the_page_shows_a_frozen_pod_and_a_killed_pod(
    tenant: Tenant, browser: Browser, url: str, take_picture: TakePicture
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    browser.open(url)
    browser.wait_for_badge("LIVE")
    process = pod_of(tenant)
    os.kill(process, signal.SIGSTOP)
    try:
        browser.wait_for_badge("STALE", 3 * STALE_AFTER_SECONDS + 5)
        assert "kubectl" in browser.text(".remedy")
        take_picture("stale")
    finally:
        os.kill(process, signal.SIGCONT)
    browser.wait_for_badge("LIVE")

    session = tenant.heartbeat()["session_id"]
    browser.record_texts(".state")
    os.kill(process, signal.SIGKILL)
    eventually(lambda: tenant.heartbeat()["session_id"] != session, 30)
    browser.wait_for_badge("LIVE")
    # A pod that starts has not read its job yet. It is not paused by anything that a user could end.
    assert not [each for each in browser.recorded_texts() if "PAUSED" in each or "by start" in each]
    browser.wait_for(f"{state_of('SPY')}.includes('live')")
    wait_for_price_change(browser, "SPY")


@pytest.fixture
def four_feeds(tenant: Tenant, site: Quickstart, upstream: Upstream, tmp_path: Path) -> Iterator[str]:
    """The page of a tenant with four feeds: a live one, a refused key, a tape that ends, and one without a document."""
    rows = "".join(f"{1767625200000 + n},QQQ,{500 + n},1,{501 + n},1,Q\n" for n in range(5))
    tenant.kubectl.apply([config_map(tenant.name, f"{TAPE_COLUMNS}\n{rows}")])
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="wrong")
    tenant.apply(heartbeat={"intervalSeconds": 1, "document": "synthetic"})
    replay = {"tape": {"configMapRef": {"name": "tape", "key": "tape.csv"}}, "speed": 0}
    tenant.apply(
        "tape", provider="replay", replay=replay, symbols=["QQQ"], heartbeat={"intervalSeconds": 1, "document": "tape"}
    )
    tenant.apply(
        "sip", **streaming_from(upstream), symbols=["MSFT"], heartbeat={"intervalSeconds": 1, "document": "sip"}
    )
    add_member(site.emulator, tenant.name)
    names = ("closed", "tape", "synthetic", "sip")
    feeds = [{"document": name} for name in names]
    tenant.settled("Streaming")
    # The ended tape writes no heartbeats, and must not become stale during the test.
    with served_page(tmp_path, site.emulator, tenant.name, feeds=feeds, heartbeatStaleAfterSeconds=600) as address:
        yield address


def put_heartbeat_of_closed_market(emulator: str, tenant: str) -> None:
    """Write the feed `closed`: a copy of a pod's heartbeat, because real markets close by the date."""
    heartbeat = get_document(emulator, f"tenants/{tenant}/ops/synthetic")
    opens_at = (datetime.now(UTC) + timedelta(hours=14, minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    counts = {"live": 0, "quiet": 0, "stale": 0, "closed": 2, "halted": 0, "paused": 0}
    freshness = {name: {"integerValue": str(count)} for name, count in counts.items()}
    closed = {
        "job": {"stringValue": f"{tenant}/us-equities"},
        "market": {"stringValue": "closed"},
        "market_changes_at": {"timestampValue": opens_at},
        "freshness": {"mapValue": {"fields": freshness}},
    }
    put_document(emulator, f"tenants/{tenant}/ops/closed", heartbeat | closed)


def test_the_worst_of_several_feeds_comes_first(
    tenant: Tenant, site: Quickstart, browser: Browser, four_feeds: str, take_picture: TakePicture
) -> None:
    browser.show()
    browser.open(four_feeds)
    browser.wait_for(f"{tabs()}.join().includes('BLOCKED')", 30)
    browser.wait_for(f"{tabs()}.join().includes('STOPPED')", 30)

    def are_in_order() -> bool:
        # Repeated, as a pod does: the emulator can miss the first write after a listener on an absent document begins.
        put_heartbeat_of_closed_market(site.emulator, tenant.name)
        states = f"{tabs()}.map((each) => each.split('\\n').at(-1)).join()"
        return bool(browser.evaluate(states) == "BLOCKED,STOPPED,CLOSED,LIVE")

    eventually(are_in_order, 15, every=0.5)
    browser.click(".feed-tab >> nth=0")
    browser.wait_for_badge("BLOCKED")
    assert "Correct the credentials" in browser.text(".remedy")
    take_picture("blocked")
    browser.click(".feed-tab >> nth=2")
    browser.wait_for_badge("CLOSED")
    assert "opens in 14 h" in browser.text(".countdown")
    take_picture("closed")
    browser.open(f"{four_feeds}?tenant={tenant.name}&feed=synthetic&symbol=SPY")
    browser.wait_for_badge("LIVE")
    browser.wait_for_text(".detail", "SPY")
    # The feeds share one collection: a feed shows only its own symbols.
    browser.wait_for("document.querySelectorAll('tr[data-symbol]').length === 2")


def test_the_page_explains_a_lost_membership_a_sign_out_and_a_lost_network(
    tenant: Tenant, site: Quickstart, browser: Browser, url: str, take_picture: TakePicture
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    browser.open(url)
    browser.wait_for_badge("LIVE")
    browser.click("text=Sign out")
    browser.wait_for_badge("OFFLINE")
    browser.wait_for_text(".message", "Sign in as a member")
    assert browser.evaluate(LISTENERS) == "0 listeners"
    assert browser.evaluate("document.querySelectorAll('tr[data-symbol]').length") == 0
    assert_accessible(browser)

    browser.click(".message button")
    browser.wait_for_badge("LIVE")
    remove_member(site.emulator, tenant.name)
    browser.wait_for_text(".message", f"tenants/{tenant.name}/users/{USER}")
    assert_accessible(browser)
    take_picture("no-membership")
    add_member(site.emulator, tenant.name)
    browser.wait_for_badge("LIVE")

    browser.set_offline(True)
    browser.wait_for_badge("OFFLINE")
    browser.wait_for_text(".as-of", "As of")
    browser.set_offline(False)
    browser.wait_for_badge("LIVE", 30)


def config_map(namespace: str, tape: str) -> dict[str, object]:
    """Return a ConfigMap that contains a tape."""
    metadata = {"name": "tape", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"tape.csv": tape}}


def tabs() -> str:
    """Return a JavaScript expression for the texts of the feeds' tabs, in their order."""
    return "[...document.querySelectorAll('.feed-tab')].map((each) => each.innerText)"
