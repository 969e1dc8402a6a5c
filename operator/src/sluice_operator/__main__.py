"""The command `sluice-operator`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from . import logs
from .adapters.access import AccessError, access
from .app import run
from .settings import Settings, settings

log = logging.getLogger(__name__)


def main() -> int:
    """Run the operator. Return 0 after a signal, 1 if a new process is needed, 2 if the settings are wrong."""
    try:
        chosen = settings(os.environ)
    except ValueError as error:
        return _misconfigured(error)
    logs.configure(chosen.log_level)
    try:
        asyncio.run(_run(chosen))
    except AccessError as error:
        return _misconfigured(error)
    except Exception:
        log.critical("operator exiting; it needs to be restarted", exc_info=True)
        return 1
    return 0


def _misconfigured(error: Exception) -> int:
    print(f"sluice-operator: {error}", file=sys.stderr)
    return 2


async def _run(chosen: Settings) -> None:
    await run(chosen, await access(os.environ))


if __name__ == "__main__":
    sys.exit(main())
