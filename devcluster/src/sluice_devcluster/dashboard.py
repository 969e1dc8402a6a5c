"""The dashboard's page server, and what the page needs in the emulator: a user who is a member of the tenant."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sluice_devcluster import processes
from sluice_devcluster.controlplane import find_free_port, require_alive
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import StateDirectory

COMPONENT = "dashboard"
USER = "developer"
# The same port each time, so that a bookmark stays valid.
PREFERRED_PORT = 8300
START_SECONDS = 15.0


def page_config(project: str, emulator: str, tenant: str, jobs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the page's config.json: it reads `tenant` from the emulator, signed in as a mock user.

    `emulator` is its host:port; `jobs` are all IngestJobs of the cluster.
    """
    specs = [job["spec"] for job in jobs if job["spec"]["tenant"] == tenant]
    return {
        "projectId": project,
        "emulatorHost": emulator,
        "tenant": tenant,
        "mockUser": {"uid": USER, "tenantId": tenant},
        "feeds": [
            {"document": spec["heartbeat"]["document"], "collection": spec["firestore"]["liveQuotesCollection"]}
            for spec in specs
        ],
    }


def write_membership(emulator: str, project: str, tenant: str) -> None:
    """Write the document that makes the mock user a member of the tenant, as a server: clients may not write it.

    Raises DevclusterError if the emulator does not accept it.
    """
    path = f"tenants/{tenant}/users/{USER}"
    request = urllib.request.Request(
        f"http://{emulator}/v1/projects/{project}/databases/(default)/documents/{path}",
        data=json.dumps({"fields": {}}).encode(),
        headers={"Authorization": "Bearer owner", "Content-Type": "application/json"},
        method="PATCH",
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  the emulator, on this machine
    except OSError as error:
        raise DevclusterError(
            f"The Firestore emulator at {emulator} does not accept a document: {error}. Run `make down` and `make up`."
        ) from error


def start_page_server(state: StateDirectory, folder: Path, config: Mapping[str, Any]) -> str:
    """Serve the page that was built into `folder` on 127.0.0.1, in place of the server that runs; return its URL.

    Raises DevclusterError if the server does not start; the message has the end of its log.
    """
    stop_page_server(state)
    file = state.root / "dashboard.json"
    file.write_bytes(msgspec.json.encode(config))
    port = _choose_port(state)
    argv = [sys.executable, "-m", "sluice_page_server", "--folder", str(folder.resolve()), "--config", str(file)]
    log = state.log_file(COMPONENT)
    log.unlink(missing_ok=True)
    processes.start_process([*argv, "--port", str(port)], log, state.record_file(COMPONENT))
    url = f"http://127.0.0.1:{port}/"
    _wait_until_answering(state, url)
    return url


def stop_page_server(state: StateDirectory) -> None:
    """Stop the page server if it runs."""
    processes.stop_processes([state.record_file(COMPONENT)], 3.0)


def is_page_server_alive(state: StateDirectory) -> bool:
    """Return True while the page server runs."""
    return processes.is_alive(processes.load_record(state.record_file(COMPONENT)))


def _choose_port(state: StateDirectory) -> int:
    """Return the port of the last server, so that an open page stays valid, else the preferred port, if it is free."""
    settings = state.load_site_settings()
    last = urlsplit(settings.dashboard_url or "").port if settings is not None else None
    return next((port for port in (last, PREFERRED_PORT) if port and _is_port_free(port)), None) or find_free_port()


def _is_port_free(port: int) -> bool:
    with socket.socket() as candidate:
        # Connections of an earlier server that are still closing do not count; aiohttp sets this, too.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _wait_until_answering(state: StateDirectory, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}livez", timeout=2).close()  # noqa: S310  on this machine
            return
        except OSError as error:
            require_alive(state, COMPONENT)
            if time.monotonic() > deadline:
                tail = processes.log_tail(state.log_file(COMPONENT))
                raise DevclusterError(f"The dashboard did not answer at {url}: {error}\n{tail}") from error
        time.sleep(0.05)
