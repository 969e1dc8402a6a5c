"""Startup, liveness and readiness probes by HTTP and TCP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import aiohttp

from sluice_devcluster.api import Json


@dataclass(frozen=True)
class ProbeState:
    """The result of a probe so far, and the number of successes and of failures in a row."""

    healthy: bool
    successes: int = 0
    failures: int = 0

    def after_attempt(self, succeeded: bool, probe: Json) -> ProbeState:
        """Return the state after one more attempt, with the thresholds of the probe applied."""
        if succeeded:
            successes = self.successes + 1
            reached = successes >= probe.get("successThreshold", 1)
            return replace(self, healthy=self.healthy or reached, successes=successes, failures=0)
        failures = self.failures + 1
        reached = failures >= probe.get("failureThreshold", 3)
        return replace(self, healthy=self.healthy and not reached, successes=0, failures=failures)

    def has_reached_failure_threshold(self, probe: Json) -> bool:
        """Return True if enough attempts failed in a row that a startup or liveness probe ends the container."""
        return self.failures >= int(probe.get("failureThreshold", 3))


def probe_port_number(port: int | str, container: Json) -> int | None:
    """Return the number of a probe's port, which can be the name of a container port; None if there is no such port."""
    if isinstance(port, int):
        return port
    if port.isdecimal():
        return int(port)
    ports = container.get("ports") or []
    return next((each["containerPort"] for each in ports if each.get("name") == port), None)


def unsupported_probe_reason(container: Json) -> str | None:
    """Return a sentence about a probe that this node does not support; None if it supports all probes."""
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind)
        if probe is not None and not ("httpGet" in probe or "tcpSocket" in probe):
            return f"{kind}: only httpGet and tcpSocket probes are supported by this node"
    return None


async def attempt_probe(probe: Json, container: Json, address: str) -> str | None:
    """Make one attempt; return None on success, else a sentence in the kubelet's words."""
    timeout = float(probe.get("timeoutSeconds", 1))
    action = probe.get("httpGet") or probe["tcpSocket"]
    port = probe_port_number(action["port"], container)
    if port is None:
        return f'couldn\'t find port: "{action["port"]}" in pod'
    host = action.get("host") or address
    try:
        async with asyncio.timeout(timeout):
            if "httpGet" in probe:
                return await _attempt_http_probe(action, host, port)
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return None
    except TimeoutError:
        return f"probe of {host}:{port} timed out after {timeout:g}s"
    except (OSError, aiohttp.ClientError) as error:
        return f"probe of {host}:{port} failed: {error}"


async def repeat_probe(
    probe: Json, try_once: Callable[[], Awaitable[str | None]], report: Callable[[bool, str], None]
) -> None:
    """Make attempts forever, with the probe's delay and period, and report each outcome with its message."""
    await asyncio.sleep(float(probe.get("initialDelaySeconds", 0)))
    period = float(probe.get("periodSeconds", 10))
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        failure = await try_once()
        report(failure is None, failure or "")
        due = max(due + period, loop.time())
        await asyncio.sleep(due - loop.time())


async def _attempt_http_probe(action: Json, host: str, port: int) -> str | None:
    scheme = str(action.get("scheme", "HTTP")).lower()
    path = "/" + str(action.get("path", "/")).lstrip("/")
    headers = {"User-Agent": "kube-probe/1.34", "Accept": "*/*"}
    headers |= {each["name"]: each["value"] for each in action.get("httpHeaders") or []}
    connector = aiohttp.TCPConnector(ssl=_unverified_tls_context(), force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
        session.get(f"{scheme}://{host}:{port}{path}", headers=headers, allow_redirects=False) as response,
    ):
        if 200 <= response.status < 400:
            return None
        return f"HTTP probe failed with statuscode: {response.status}"


def _unverified_tls_context() -> ssl.SSLContext:
    # Like the kubelet, accept any certificate.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
