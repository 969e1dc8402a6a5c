"""Google's token service and metadata server, on this machine."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EMAIL = "feed@demo.iam.gserviceaccount.com"


class GoogleServer(ThreadingHTTPServer):
    """Answers POST as the token service, and GET as the metadata server."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.answer = 200, {"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}
        self.place = f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: GoogleServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.status, self.server.answer)

    def do_GET(self) -> None:
        if self.path.startswith("/computeMetadata/v1/instance/service-accounts/default/?recursive"):
            self._answer(200, {"email": EMAIL, "scopes": [], "aliases": ["default"]})
        elif "/token" in self.path:
            self._answer(self.server.status, self.server.answer)
        else:
            self._answer(200, "demo")

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...
