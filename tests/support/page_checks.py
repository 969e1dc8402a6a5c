"""What tests of the dashboard's page look for and wait for."""

from __future__ import annotations

from support.browser import Browser

LISTENERS = "document.querySelector('.listeners').innerText"


def state_of(symbol: str) -> str:
    """Return a JavaScript expression for the text of a symbol's state in the table."""
    return f"(document.querySelector('tr[data-symbol=\"{symbol}\"] .state-cell')?.innerText ?? '')"


def chart_of(symbol: str) -> str:
    """Return a JavaScript expression for the chart of a symbol's last 10 minutes in the table."""
    return f"document.querySelector('tr[data-symbol=\"{symbol}\"] .spark')"


def wait_for_price_change(browser: Browser, symbol: str) -> None:
    """Wait until the price of a symbol in the table changes."""
    cell = f"document.querySelector('tr[data-symbol=\"{symbol}\"] .price')?.innerText"
    before = browser.evaluate(cell)
    browser.wait_for(f"{cell} !== {before!r}")
