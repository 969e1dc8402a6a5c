"""The dashboard's page where its browser is special: hidden, asleep, with a wrong clock, or shared by two tenants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_devcluster.quickstart import Quickstart
from support.browser import Browser
from support.page_checks import LISTENERS, state_of, wait_for_price_change
from support.page_server import add_member, served_page
from support.site import Tenant


def test_a_hidden_page_stops_reading_and_a_shown_one_continues(tenant: Tenant, browser: Browser, url: str) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    browser.open(url)
    browser.wait_for_badge("LIVE")
    browser.wait_for(f"{LISTENERS} === '2 listeners'")
    browser.evaluate(visibility("hidden"))
    browser.wait_for(f"{LISTENERS} === '0 listeners'", 1)
    browser.evaluate(visibility("visible"))
    browser.wait_for(f"{LISTENERS} === '2 listeners'", 5)
    wait_for_price_change(browser, "SPY")


def test_after_sleep_the_page_says_of_when_it_is_and_reads_again(tenant: Tenant, browser: Browser, url: str) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    browser.open(url)
    browser.wait_for_badge("LIVE")
    browser.wait_for(f"{state_of('SPY')}.includes('live')")
    browser.record_texts(".state")
    browser.sleep(12)
    browser.wait_for("window.recordedTexts.some((each) => each.includes('As of'))")
    browser.wait_for_badge("LIVE")
    browser.wait_for("document.querySelector('.as-of') === null")
    wait_for_price_change(browser, "SPY")
    # The page was not there: that says nothing about the feed.
    assert not [each for each in browser.recorded_texts() if "STALE" in each]


@pytest.fixture
def other_tenant(site: Quickstart, tenant: Tenant) -> Iterator[Tenant]:
    """A second namespace."""
    found = Tenant(site.kubectl, site.emulator, f"{tenant.name}-other")
    yield found
    site.kubectl("delete", "namespace", found.name, "--wait=false")


def test_two_tenants_in_one_browser_see_their_own_data_only(
    tenant: Tenant, other_tenant: Tenant, site: Quickstart, browser: Browser, tmp_path: Path
) -> None:
    tenant.apply(symbols=["SPY", "AAPL"])
    other_tenant.apply(symbols=["BTC/USD"])
    tenant.settled("Streaming")
    other_tenant.settled("Streaming")
    feeds = [{"tenant": each.name} for each in (tenant, other_tenant)]
    for each in (tenant, other_tenant):
        add_member(site.emulator, each.name)
        (tmp_path / each.name).mkdir()
    symbols = "[...document.querySelectorAll('tr[data-symbol]')].map((each) => each.dataset.symbol).sort().join()"
    with (
        served_page(tmp_path / tenant.name, site.emulator, tenant.name, feeds=feeds) as url,
        served_page(tmp_path / other_tenant.name, site.emulator, other_tenant.name) as other_url,
    ):
        browser.open(f"{url}?tenant={tenant.name}")
        browser.wait_for(f"{symbols} === 'AAPL,SPY'")
        browser.open(other_url, tab="other")
        browser.wait_for(f"{symbols} === 'BTC/USD'")
        # The claim of the first user names the first tenant alone, although the user is a member of both.
        browser.open(f"{url}?tenant={other_tenant.name}", tab="denied")
        browser.wait_for_text(".message", f"may not read tenant {other_tenant.name}")
        assert browser.evaluate(symbols) == ""

        browser.switch_to("")
        browser.wait_for_badge("LIVE")
        assert browser.evaluate(symbols) == "AAPL,SPY"
        browser.click("text=Sign out")
        for tab in ("", "denied"):
            browser.switch_to(tab)
            browser.wait_for_text(".message", "You are signed out")
        browser.click(".message button")
        browser.switch_to("")
        browser.wait_for(f"{symbols} === 'AAPL,SPY'")
        browser.switch_to("other")
        browser.wait_for_badge("LIVE")
        assert browser.evaluate(symbols) == "BTC/USD"
        browser.open("about:blank")


def test_a_clock_that_is_wrong_by_a_minute_is_reported_and_ages_are_corrected(
    tenant: Tenant, browser: Browser, url: str
) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    for ahead, words in ((60, "60 s ahead of"), (-60, "60 s behind")):
        browser.open(url, clock_ahead_seconds=ahead)
        browser.wait_for_badge("LIVE")
        browser.wait_for_text(".as-of", words)
        # Nothing shows which of the two clocks is wrong, so the quote is live, and must not be used.
        browser.wait_for(f"{state_of('SPY')}.includes('not usable')")
        assert browser.evaluate("document.querySelector('tr[data-symbol] td:nth-child(6)').innerText") in ("0 s", "1 s")


def visibility(state: str) -> str:
    """Return JavaScript that makes the page believe that it is hidden or visible."""
    hidden = json.dumps(state == "hidden")
    define = f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }})"
    return f"{define}; document.dispatchEvent(new Event('visibilitychange'))"
