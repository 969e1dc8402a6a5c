"""The routes: the files of the page, its configuration, and a liveness check."""

from __future__ import annotations

from pathlib import Path

import msgspec
from aiohttp import hdrs, web

from sluice_page_server.config import ConfigError, PageConfig
from sluice_page_server.headers import ASSETS, cache_control, security_headers

INDEX = "index.html"


def create_app(folder: Path, config: PageConfig) -> web.Application:
    """Return the server of the page that was built into `folder`. Raises ConfigError if there is no page."""
    root = folder.resolve()
    if not (root / INDEX).is_file():
        raise ConfigError(f"{folder} has no {INDEX}: build the page with `make dashboard`, or name its folder.")
    headers = security_headers(config)
    configuration = msgspec.json.encode(config.document)

    async def add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    async def send_liveness(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def send_config(_: web.Request) -> web.Response:
        return web.Response(
            body=configuration, content_type="application/json", headers={hdrs.CACHE_CONTROL: "no-store"}
        )

    async def send_page_file(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = find_page_file(root, path)
        if file is None and is_navigation(path, request.headers.get(hdrs.ACCEPT, "")):
            raise web.HTTPFound(f"/?{request.query_string}" if request.query_string else "/")
        if file is None:
            return web.Response(status=404, text="There is no such file.\n", headers={hdrs.CACHE_CONTROL: "no-store"})
        relative = file.relative_to(root).as_posix()
        return web.FileResponse(file, headers={hdrs.CACHE_CONTROL: cache_control(relative)})

    app = web.Application()
    app.on_response_prepare.append(add_security_headers)
    app.router.add_get("/livez", send_liveness)
    app.router.add_get("/config.json", send_config)
    app.router.add_get("/{path:.*}", send_page_file)
    return app


def find_page_file(root: Path, path: str) -> Path | None:
    """Return the file at `path`, or the page itself for the empty path; None if there is none.

    `root` is the resolved folder of the page; no file outside it and no hidden file is returned.
    """
    if "\0" in path:
        return None
    file = (root / (path or INDEX)).resolve()
    is_inside = file.is_relative_to(root) and not any(part.startswith(".") for part in file.relative_to(root).parts)
    return file if is_inside and file.is_file() else None


def is_navigation(path: str, accept: str) -> bool:
    """Return True if a browser opens `path` as a page. `accept` is the request's header Accept.

    The page has one path and keeps what it shows in the query, so that it can load its files by relative addresses. A
    link to another path is redirected to it, with its query.
    """
    return "text/html" in accept and not path.startswith(ASSETS)
