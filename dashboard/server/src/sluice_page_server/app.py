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
        is_navigation = "text/html" in request.headers.get(hdrs.ACCEPT, "")
        file = find_page_file(root, request.match_info["path"], is_navigation=is_navigation)
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


def find_page_file(root: Path, path: str, *, is_navigation: bool) -> Path | None:
    """Return the file that answers a request for `path`; None if there is none.

    A deep link, such as acme/us-equities/BRK.B, is a path of the page and not of a file: if a browser navigates to it,
    the page itself answers. `root` is the resolved folder of the page; no file outside it is returned.
    """
    if "\0" in path:
        return None
    file = (root / path).resolve()
    is_inside = file.is_relative_to(root) and not any(part.startswith(".") for part in file.relative_to(root).parts)
    if is_inside and file.is_file():
        return file
    is_deep_link = is_inside and is_navigation and not path.startswith(ASSETS)
    return root / INDEX if is_deep_link or file == root else None
