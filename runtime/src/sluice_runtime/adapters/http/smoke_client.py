"""The smoke test of a running runtime: takes its HTTP interface through status, reload, dry start and stop."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from sluice_contract.redirects import is_redirect, redirect_text

from ..http_proxies import proxy_for_url

_REQUEST_SECONDS = 15.0
_POLL_SECONDS = 0.2


class _StepFailedError(Exception):
    """A step of the smoke test failed."""


_NO_ANSWER = "start the runtime, or name its address, such as --base-url http://127.0.0.1:8080"


class SmokeClient:
    """Tests a runtime at a base URL such as http://127.0.0.1:8080, with a token if the runtime needs one."""

    def __init__(self, base_url: str, token: str | None) -> None:
        self._root = f"{base_url.rstrip('/')}/runtime/ingest"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def run_steps(self, seconds: float, say: Callable[[str], None]) -> str | None:
        """Run all steps of the test. Return the failure, or None. The stream must be live within `seconds`."""
        try:
            say(f"status: {self._send_request('status')['state']}")
            self._send_request("reload", {})
            say("reload: done")
            self._send_request("start", {"dry_run": True})
            say(f"dry start: live after {self._wait_until_live(seconds):.1f} s")
            stopped = self._send_request("stop", {"reason": "smoke"})
            if stopped["state"] != "Paused":
                return f"stop responded while the stream is {stopped['state']}; it must be Paused"
            say("stop: acknowledged")
            self._send_request("reload", {})  # otherwise a later start would be a dry run too
        except _StepFailedError as error:
            return str(error)
        return None

    def _wait_until_live(self, seconds: float) -> float:
        began = time.monotonic()
        while True:
            status = self._send_request("status")
            waited = time.monotonic() - began
            if status["state"] in ("Live", "Finished") and status["heartbeat"]["dryRun"]:
                return waited
            if waited > seconds:
                why = status.get("failure", {}).get("message", "the status has no failure")
                raise _StepFailedError(f"the stream is {status['state']} after {seconds:g} s: {why}")
            time.sleep(_POLL_SECONDS)

    def _send_request(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        try:
            request = urllib.request.Request(f"{self._root}/{name}", data=data, headers=self._headers)  # noqa: S310
            with _opener(self._root).open(request, timeout=_REQUEST_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            if is_redirect(error.code):
                raise _StepFailedError(
                    f"{self._root}/{name} {redirect_text(error.code)}; set --base-url to the final address"
                ) from None
            raise _StepFailedError(
                f"{name} returned HTTP {error.code}: {error.read().decode(errors='replace')}"
            ) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            raise _StepFailedError(f"{self._root}/{name} does not answer: {why}; {_NO_ANSWER}") from None


class _RedirectRefuser(urllib.request.HTTPRedirectHandler):
    """A handler that follows no redirect, so that the response becomes an HTTPError."""

    def redirect_request(self, *_given: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return an opener that uses the proxy of `url`, and follows no redirect.

    By default, urllib uses HTTP_PROXY for this machine too, and sends the token to the target of a redirect.
    """
    proxy = proxy_for_url(url)
    proxies = {} if proxy is None else dict.fromkeys(("http", "https"), proxy.url_with_credentials)
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _RedirectRefuser())
