"""The command `sluice-page-server`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from sluice_page_server.app import create_app
from sluice_page_server.config import ConfigError, read_config


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until SIGTERM or SIGINT; return 0, or print the error on stderr and return 1."""
    parser = argparse.ArgumentParser(prog="sluice-page-server", description="Serve the built dashboard over HTTP.")
    parser.add_argument("--folder", type=Path, required=True, help="the folder that the page was built into")
    parser.add_argument("--config", type=Path, required=True, help="the page's config.json")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="the port to listen on (default 8080)")
    options = parser.parse_args(arguments)
    try:
        app = create_app(options.folder, read_config(options.config))
        web.run_app(app, host=options.host, port=options.port, print=None, access_log=None, shutdown_timeout=2.0)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot listen on {options.host}:{options.port}: {error.strerror}. Use another --port.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
