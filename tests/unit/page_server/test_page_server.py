"""The page server over HTTP: files, deep links, caching and security headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from sluice_page_server.__main__ import main
from sluice_page_server.app import create_app
from sluice_page_server.config import ConfigError, parse_config
from sluice_page_server.headers import content_security_policy

Client: TypeAlias = TestClient[web.Request, web.Application]

CONFIG = b'{"projectId": "demo", "emulatorHost": "127.0.0.1:8085", "tenant": "acme"}'
NAVIGATION = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built page, beside a file that is not part of it."""
    (tmp_path / "secret").write_text("secret")
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (page / "assets/app-1a2b.js").write_text("export {}")
    (page / ".env").write_text("secret")
    (page / "link").symlink_to(tmp_path / "secret")
    return page


@pytest_asyncio.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    """A client of the server."""
    async with TestClient(TestServer(create_app(folder, parse_config(CONFIG)))) as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/index.html", "/?tenant=acme&symbol=BRK.B"])
async def test_the_page_is_sent_and_is_checked_each_time(client: Client, path: str) -> None:
    response = await client.get(path, headers=NAVIGATION)
    assert (response.status, await response.text()) == (200, "<!doctype html>")
    assert response.content_type == "text/html"
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/acme/us-equities", "/BRK.B", "/acme/"])
async def test_a_link_to_another_path_leads_to_the_page_with_its_query(client: Client, path: str) -> None:
    response = await client.get(f"{path}?symbol=BRK.B", headers=NAVIGATION, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/?symbol=BRK.B")
    assert "Content-Security-Policy" in response.headers


async def test_a_browser_asks_for_an_unchanged_page_without_its_contents(client: Client) -> None:
    etag = (await client.get("/")).headers["ETag"]
    assert (await client.get("/", headers={"If-None-Match": etag})).status == 304


async def test_a_file_with_a_hash_in_its_name_is_kept(client: Client) -> None:
    response = await client.get("/assets/app-1a2b.js")
    assert response.content_type.endswith("javascript")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("accept", ["*/*", NAVIGATION["Accept"]])
async def test_a_missing_asset_is_not_the_page_and_is_not_kept(client: Client, accept: str) -> None:
    response = await client.get("/assets/app-old.js", headers={"Accept": accept})
    assert (response.status, response.headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/.env", "/link", "/%00"])
async def test_no_file_outside_the_page_is_sent(client: Client, path: str) -> None:
    response = await client.get(URL(path, encoded=True), headers=NAVIGATION)
    assert "secret" not in await response.text()
    assert response.status in (200, 404)


async def test_the_configuration_is_sent_and_never_kept(client: Client) -> None:
    response = await client.get("/config.json")
    assert (await response.json())["tenant"] == "acme"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/config.json", "/missing.js", "/assets/app-1a2b.js", "/livez"])
async def test_every_response_has_the_security_headers(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "connect-src 'self' http://127.0.0.1:8085;" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


async def test_nothing_can_be_posted(client: Client) -> None:
    response = await client.post("/config.json", data=b"{}")
    assert response.status == 405
    assert "Content-Security-Policy" in response.headers


def test_a_real_project_connects_to_firebase_alone() -> None:
    config = parse_config(b'{"projectId": "p", "apiKey": "k", "authDomain": "p.firebaseapp.com"}')
    policy = content_security_policy(config)
    assert "connect-src 'self' https://firestore.googleapis.com https://identitytoolkit.googleapis.com" in policy
    assert "script-src 'self' https://apis.google.com;" in policy
    assert "frame-src https://p.firebaseapp.com;" in policy


def test_a_folder_without_a_page_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no index\.html: build the page"):
        create_app(tmp_path, parse_config(CONFIG))


def test_the_command_prints_the_error_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path), "--config", str(tmp_path / "config.json")]) == 1
    assert capsys.readouterr().err.startswith(str(tmp_path / "config.json"))
