"""The command `sluice-operator`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from . import logs
from .adapters.access import AccessError, create_client
from .app import run_operator
from .settings import Settings, settings_from_environment

log = logging.getLogger(__name__)


def main() -> int:
    """Run the operator. Return the exit code: 0 after a signal, 1 if it must be restarted, 2 if a setting is wrong."""
    try:
        chosen = settings_from_environment(os.environ)
    except ValueError as error:
        return _print_error_and_return_exit_code(error)
    logs.configure_logging(chosen.log_level)
    try:
        asyncio.run(_connect_and_run(chosen))
    except AccessError as error:
        return _print_error_and_return_exit_code(error)
    except Exception:
        log.critical("operator exiting; it needs to be restarted", exc_info=True)
        return 1
    return 0


def _print_error_and_return_exit_code(error: Exception) -> int:
    """Print an error in the configuration to stderr. Return exit code 2."""
    print(f"sluice-operator: {error}", file=sys.stderr)
    return 2


async def _connect_and_run(chosen: Settings) -> None:
    await run_operator(chosen, await create_client(os.environ))


if __name__ == "__main__":
    sys.exit(main())
