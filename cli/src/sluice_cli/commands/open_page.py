"""`kubectl sluice open`: the link to a job on the dashboard's page."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import urlencode

from ..contract import contract
from ..model.fields import child, objects, text
from ..transport import TransportError
from .cluster_requests import SYSTEM_NAMESPACE
from .context import DONE, NOT_REACHED, Context, UsageError
from .one_job import read_one_job
from .reading import finished

VARIABLE = "SLUICE_PAGE_URL"
_RULES_PATH = f"/apis/monitoring.coreos.com/v1/namespaces/{SYSTEM_NAMESPACE}/prometheusrules/sluice-alerts"
_PLACEHOLDER = "https://sluice.example"  # in manifests/monitoring, until it is replaced


def run_open(options: argparse.Namespace, context: Context) -> int:
    """Print the link, and open it in the browser of a desktop. Return the exit code."""
    job = read_one_job(options, context, has_pauses=False)
    if job is None:
        return NOT_REACHED
    page = (options.page or context.environment.get(VARIABLE, "") or _page_of_alerts(context)).rstrip("/")
    if not page:
        context.warn(
            "The address of the page is not known: neither this machine nor the alerts of the cluster name it.",
            f"  → export {VARIABLE}=https://…, or write --page https://…",
        )
        return NOT_REACHED
    if not page.startswith(("https://", "http://")):
        raise UsageError(f"{page} is not the address of a page: write it like https://feeds.example.com")
    link = page_link(page, job.document)
    context.write(link)
    if not options.no_browser and _has_desktop(context):
        import webbrowser  # noqa: PLC0415  it takes 15 ms

        webbrowser.open(link)
    return DONE


def page_link(page: str, job: dict[str, Any]) -> str:
    """Return the link to a job on the page at this address, as alerts have it."""
    default: str = contract()["fields"]["heartbeat.document"]["default"]
    heartbeat = text(job, "spec", "heartbeat", "document") or default
    return f"{page}/?{urlencode({'tenant': text(job, 'spec', 'tenant'), 'feed': heartbeat})}"


def _page_of_alerts(context: Context) -> str:
    """Return the address of the page that the alerts of the cluster link to; empty if none is visible."""
    try:
        rules = json.loads(finished(context.kubectl.start_read(_RULES_PATH)))
    except TransportError:
        return ""
    links = [
        text(child(rule, "annotations"), "page_url")
        for group in objects(rules, "spec", "groups")
        for rule in objects(group, "rules")
    ]
    page = next((each.partition("/{{")[0] for each in links if each), "")
    return "" if page == _PLACEHOLDER else page


def _has_desktop(context: Context) -> bool:
    """Return whether a browser can open a window for the person at this terminal."""
    has_display = any(context.environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return context.output.isatty() and (sys.platform == "darwin" or has_display)
