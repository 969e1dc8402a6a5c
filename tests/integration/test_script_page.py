"""docs/coming-from-a-script.md, compared with a running process: its metrics, its endpoints and its log lines.

tests/architecture/test_script_page.py compares the page with the code.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from sluice_runtime.adapters.http.api import create_http_application
from sluice_runtime.adapters.http.control import control_routes
from sluice_runtime.ports import Controls
from sluice_runtime.view_ports import RuntimeView
from support.deadlines import scaled
from support.firestore import firestore_emulator
from support.script_page import PAGE, ROOT, names_in_code, tables
from support.site import eventually
from support.standalone import Machine
from support.upstream import Upstream

[METRICS] = tables("Metrics")
SERVED, NOT_SERVED = tables("Endpoints")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Run a runtime that streams from the simulator, with one paused symbol."""
    home = tmp_path_factory.mktemp("script")
    with (
        firestore_emulator(tmp_path_factory.mktemp("emulator")) as emulator,
        Upstream("--quotes-per-second", "20") as upstream,
    ):
        made = Machine(home, emulator, f"script-{uuid.uuid4().hex[:8]}")
        made.environment.update({"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret"})
        alpaca = {"streamURL": upstream.url, "credentialsSecretRef": {"name": "alpaca"}}
        paused = [{"symbol": "AAPL", "reason": "bad prints"}]
        made.declare(provider="alpaca", synthetic=None, symbols=["SPY", "AAPL"], alpaca=alpaca, pausedSymbols=paused)
        with made.running():
            eventually(lambda: "SPY" in made.quotes(), seconds=60)
            yield made


def status_of(machine: Machine, request_line: str) -> int:
    """Send a request, such as `GET /livez`, and return the status of its response."""
    method, path = request_line.split()
    body = b"{}" if method == "POST" else None
    request = urllib.request.Request(machine.url + path, data=body, method=method)  # noqa: S310  on this machine
    try:
        with urllib.request.urlopen(request, timeout=scaled(20)) as answer:  # noqa: S310  on this machine
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def requests_in(rows: list[list[str]]) -> list[str]:
    return [name for row in rows for name in names_in_code(row[0]) if re.fullmatch(r"(GET|POST) /\S*", name)]


def metrics_of(machine: Machine) -> set[str]:
    with urllib.request.urlopen(f"{machine.url}/metrics", timeout=scaled(20)) as answer:  # noqa: S310  on this machine
        return set(re.findall(r"^# TYPE (\S+) ", answer.read().decode(), re.MULTILINE))


def test_each_metric_is_exposed_and_each_exposed_metric_is_listed(machine: Machine) -> None:
    listed = {name for row in METRICS for name in names_in_code(row[1])}
    assert listed == metrics_of(machine)


def test_the_metrics_of_a_script_have_its_names_and_labels(machine: Machine) -> None:
    machine.post("stop")
    machine.post("start")
    with urllib.request.urlopen(f"{machine.url}/metrics", timeout=scaled(20)) as answer:  # noqa: S310  on this machine
        exposition = answer.read().decode()
    for sample in ('ingest_active{provider="alpaca"}', 'ingest_starts_total{provider="alpaca"}'):
        assert f"\n{sample} " in exposition
    assert '\ningest_stops_total{provider="alpaca",reason="operator_request"} ' in exposition


@pytest.mark.parametrize("request_line", requests_in(SERVED))
def test_each_listed_endpoint_is_served(machine: Machine, request_line: str) -> None:
    if request_line == "GET /readyz":
        eventually(lambda: status_of(machine, request_line) == 200, seconds=20)
    assert status_of(machine, request_line) == 200


@pytest.mark.parametrize("request_line", requests_in(NOT_SERVED))
def test_each_endpoint_that_is_not_here_responds_with_404(machine: Machine, request_line: str) -> None:
    assert status_of(machine, request_line) == 404


def test_each_served_endpoint_is_listed() -> None:
    view, controls = cast("RuntimeView", None), cast("Controls", None)  # no request is sent
    routes = create_http_application(view, control_routes(controls, view, lambda _: None)).router.routes()
    served = {f"{each.method} {each.resource.canonical}" for each in routes if each.resource and each.method != "HEAD"}
    assert set(requests_in(SERVED)) == served


def test_start_with_another_provider_says_to_restart(machine: Machine) -> None:
    body = json.dumps({"provider": "synthetic", "symbols": ["SPY"], "dry_run": True}).encode()
    request = urllib.request.Request(f"{machine.url}/runtime/ingest/start", data=body, method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=scaled(20))  # noqa: S310  on this machine
    with refusal.value as answer:
        assert (answer.code, "restart it" in answer.read().decode()) == (422, True)


def test_the_log_has_the_lines_that_the_page_names(machine: Machine) -> None:
    [rows] = tables("Log lines")
    [text] = [name for row in rows for name in names_in_code(row[0]) if name.startswith("[PAUSED]")]
    assert text in machine.logged("symbol_pause")
    described = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/logs.md").read_text("utf-8"), re.MULTILINE)
    logged = {line["event_type"] for line in machine.log_lines()}
    assert {"quote", "stream", "ingest_switch", "http"} <= logged <= {*described}


def test_each_link_to_a_file_has_a_target() -> None:
    targets = re.findall(r"\]\(([^)#:]+)", PAGE)
    assert [target for target in targets if not Path(ROOT / "docs" / target).exists()] == []
