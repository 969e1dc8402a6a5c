"""Chromium for the tests of the dashboard's page, driven through dashboard/tests/driver.js."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from support.deadlines import Deadline, scaled

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"

# The sizes at which the page is looked at, in pixels.
DESKTOP = (1280, 800)
PHONE = (390, 844)

# The longest time until the driver answers a request, on a machine of ordinary speed. Each wait in it is shorter.
ANSWER_SECONDS = 90


class Browser:
    """One Chromium. The methods act on its current page, which `open` or `switch_to` has chosen.

    As a context manager, it ends the browser at the end of the context.
    """

    def __init__(self) -> None:
        """Start the browser. The variable CHROMIUM names its program; the default is /usr/bin/chromium."""
        node = shutil.which("node")
        assert node, "Node.js is missing: install Node.js 20.19 or later, then run make page"
        self._process = subprocess.Popen(
            [node, "tests/driver.js"], cwd=DASHBOARD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._is_killed = False

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(scaled(10))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def open(self, url: str, clock_ahead_seconds: float = 0, tab: str | None = None) -> None:
        """Open a page; its clock may be ahead of this computer's. With `tab`, the other pages stay open."""
        self._send("open", url=url, clockAheadMilliseconds=clock_ahead_seconds * 1000, tab=tab)

    def switch_to(self, tab: str) -> None:
        """Make the page that was opened with this `tab` the current one."""
        self._send("switchTo", tab=tab)

    def sleep(self, seconds: float) -> None:
        """Stop all processes of the browser for a time, as the sleep of a computer does."""
        processes = descendants_of(self._process.pid)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def record_texts(self, selector: str) -> None:
        """Record each text that the first element that matches a CSS selector has from now on."""
        record = """(selector) => {
            window.recordedTexts = [];
            const record = () => {
                const text = document.querySelector(selector)?.innerText ?? "";
                if (window.recordedTexts.at(-1) !== text) { window.recordedTexts.push(text); }
            };
            record();
            new MutationObserver(record).observe(document, {subtree: true, childList: true, characterData: true});
        }"""
        self.evaluate(f"({record})({json.dumps(selector)})")

    def recorded_texts(self) -> list[str]:
        """Return what `record_texts` has recorded, in order, without repetitions."""
        found: list[str] = self.evaluate("window.recordedTexts")
        return found

    def show(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> None:
        """Set the size of the window and the color scheme."""
        self._send("show", width=size[0], height=size[1], dark=dark)

    def text(self, selector: str) -> str:
        """Return the visible text of the first element that matches a CSS selector."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Click the first element that matches a selector of Playwright."""
        self._send("click", selector=selector)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self._send("press", key=key)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self._send("evaluate", expression=expression)

    def wait_for(self, expression: str, seconds: float = 15.0) -> None:
        """Wait until a JavaScript expression is true in the page; if it is not in time, fail with the page's text."""
        deadline = Deadline(seconds)
        try:
            self._send("waitFor", expression=expression, seconds=deadline.seconds)
        except BrowserError as error:
            shown = self.evaluate("document.body.innerText.slice(0, 1500)")
            raise AssertionError(
                f"not within {deadline.seconds:.0f} s: {expression}\n{error}\nThe page shows:\n{shown}"
            ) from error
        deadline.record(expression)

    def wait_for_text(self, selector: str, text: str, seconds: float = 15.0) -> None:
        """Wait until an element's text contains `text`."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"({element}?.innerText ?? '').includes({json.dumps(text)})", seconds)

    def wait_for_badge(self, label: str, seconds: float = 25.0) -> None:
        """Wait until the selected feed has this badge, in the panel and in the tab's title."""
        self.wait_for_text(".badge", label, seconds)
        self.wait_for(f"document.title.includes({json.dumps(label)})", 2)

    def set_offline(self, offline: bool) -> None:
        """Disconnect the page from the network, or connect it."""
        self._send("offline", offline=offline)

    def accessibility_violations(self) -> list[dict[str, Any]]:
        """Return what axe-core finds: the rule, its help and the elements."""
        found: list[dict[str, Any]] = self._send("axe")
        return found

    def problems(self) -> list[str]:
        """Return the errors that the page has logged or thrown."""
        found: list[str] = self._send("problems")
        return found

    def take_screenshot(self, path: Path) -> None:
        """Write a screenshot of the window as PNG, once all that the page draws each second is drawn."""
        time.sleep(1.2)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._send("screenshot", path=str(path))

    def _send(self, action: str, **values: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": action, **values}) + "\n")
        self._process.stdin.flush()
        limit = threading.Timer(scaled(ANSWER_SECONDS), self._kill)
        limit.start()
        try:
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        if not line and self._is_killed:
            raise BrowserError(f"the browser did not answer {action} within {scaled(ANSWER_SECONDS):.0f} s")
        if not line:
            raise BrowserError("the browser ended: is Chromium installed (Debian: apt-get install chromium)?")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["value"]

    def _kill(self) -> None:
        """Kill the driver and all processes of the browser, so that a reader of the driver's output continues."""
        self._is_killed = True
        for process in [*descendants_of(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def descendants_of(process: int) -> list[int]:
    """Return the IDs of all processes that a process has started, directly or not."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *descendants_of(child))]


class BrowserError(AssertionError):
    """The browser could not do what was asked."""
