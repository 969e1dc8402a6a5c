"""The dashboard's page, served for a test against the emulator, and the memberships of its mock user."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluice_devcluster.controlplane import find_free_port
from sluice_devcluster.emulator_documents import PROJECT
from support.browser import DASHBOARD
from support.deadlines import scaled
from support.site import eventually

USER = "viewer"
# Tests wait for a feed to become stale, so it becomes stale sooner than the default of 30 s.
STALE_AFTER_SECONDS = 4
PAGE = DASHBOARD / "build/page"


@contextmanager
def served_page(folder: Path, emulator: str, tenant: str, **fields: Any) -> Iterator[str]:
    """Serve the page of one tenant, signed in as USER, and yield its URL. `fields` are added to config.json."""
    assert (PAGE / "index.html").is_file(), "the page is not built: run make page"
    config = {
        "projectId": PROJECT,
        "emulatorHost": emulator,
        "mockUser": {"uid": USER, "tenantId": tenant},
        "tenant": tenant,
        **fields,
    }
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    port = find_free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "sluice_page_server", f"--folder={PAGE}", f"--config={file}", f"--port={port}"]
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        eventually(lambda: _answers(url))
        yield url
    finally:
        server.terminate()
        server.wait(scaled(10))


def add_member(emulator: str, tenant: str) -> None:
    """Write the membership document of USER, as a server."""
    put_document(emulator, f"tenants/{tenant}/users/{USER}", {"role": {"stringValue": "viewer"}})


def remove_member(emulator: str, tenant: str) -> None:
    """Delete the membership document of USER, as a server."""
    _request(emulator, "DELETE", f"tenants/{tenant}/users/{USER}")


def put_document(emulator: str, path: str, fields: dict[str, Any]) -> None:
    """Write a document as a server. `fields` are Firestore values, such as {"symbol": {"stringValue": "SPY"}}."""
    _request(emulator, "PATCH", path, {"fields": fields})


def get_document(emulator: str, path: str) -> dict[str, Any]:
    """Return the fields of a document, as Firestore values."""
    found: dict[str, Any] = _request(emulator, "GET", path)["fields"]
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}livez", timeout=scaled(1)) as answer:  # noqa: S310  on this machine
            return bool(answer.status == 200)
    except OSError:
        return False


def _request(emulator: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    url = f"http://{emulator}/v1/projects/{PROJECT}/databases/(default)/documents/{path}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=scaled(10)) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found
