"""The requests to a pod, with a real process in place of kubectl port-forward."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sluice_cli.commands.pod_http import PodUnreachableError, get_json_of_pod
from sluice_cli.transport import Kubectl
from support.fake_kubectl import job


class Pod(BaseHTTPRequestHandler):
    """Answers one path with JSON, one with text, and any other one with 403."""

    def do_GET(self) -> None:
        bodies = {"/symbols": b'[{"symbol": "SPY"}]', "/text": b"hello"}
        body = bodies.get(self.path, b'{"error": "GET needs a token"}')
        self.send_response(200 if self.path in bodies else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the base class
        """Write nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a pod."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pod) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def forwarding(folder: Path, first_line: str, errors: str = "") -> Kubectl:
    """Return a kubectl whose port-forward writes these texts, and then runs until it is ended."""
    program = folder / "kubectl"
    seconds = 60 if first_line else 0
    program.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        f"print({first_line!r}, flush=True) if {first_line!r} else None\n"
        f"print({errors!r}, file=sys.stderr, flush=True)\ntime.sleep({seconds})\n"
    )
    program.chmod(0o755)
    return Kubectl(program=str(program))


def test_a_pod_answers_through_a_forwarded_port(port: int, tmp_path: Path) -> None:
    kubectl = forwarding(tmp_path, f"Forwarding from 127.0.0.1:{port} -> 8080")
    assert get_json_of_pod(kubectl, job(), "/symbols") == [{"symbol": "SPY"}]


@pytest.mark.parametrize(
    ("path", "message"), [("/text", "is not JSON"), ("/other", "answers with status 403: GET needs a token$")]
)
def test_a_bad_answer_is_explained(port: int, tmp_path: Path, path: str, message: str) -> None:
    kubectl = forwarding(tmp_path, f"Forwarding from 127.0.0.1:{port} -> 8080")
    with pytest.raises(PodUnreachableError, match=message):
        get_json_of_pod(kubectl, job(), path)


def test_a_pod_that_does_not_listen_is_explained(tmp_path: Path) -> None:
    kubectl = forwarding(tmp_path, "Forwarding from 127.0.0.1:1 -> 8080")
    with pytest.raises(PodUnreachableError, match="the pod does not answer"):
        get_json_of_pod(kubectl, job(), "/symbols")


FORBIDDEN = 'Error from server (Forbidden): pods "x" is forbidden: User "alice" cannot'


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (f'{FORBIDDEN} create resource "pods/portforward" in API group ""', "you may not create pods/portforward"),
        (f'{FORBIDDEN} get resource "pods" in API group ""', "you may not get pods"),
        ('Error from server (NotFound): pods "x" not found', "the job has no pod"),
        ("error: unable to forward port", "its port cannot be forwarded: unable to forward port"),
        ("", "its port cannot be forwarded: kubectl port-forward gave no reason"),
    ],
)
def test_a_port_that_cannot_be_forwarded_is_explained(tmp_path: Path, errors: str, message: str) -> None:
    with pytest.raises(PodUnreachableError, match=message):
        get_json_of_pod(forwarding(tmp_path, "", errors), job(), "/symbols")
