"""The command `sluice-operator`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from . import allocator, logs
from .adapters.access import AccessError, create_client
from .app import run_operator
from .check_command import run_check
from .settings import Settings, settings_from_environment

log = logging.getLogger(__name__)

_USAGE = "usage: sluice-operator, which runs the operator, or sluice-operator check, which reads the stored jobs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator, or the command `check`. Return the exit code.

    For the operator it is 0 after a signal, 1 if it must be restarted, and 2 if a setting is wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["check"]:
        return _check_stored_jobs()
    if given:
        print(_USAGE, file=sys.stderr)
        return 2
    return _run_operator()


def _check_stored_jobs() -> int:
    try:
        return asyncio.run(run_check(os.environ, print))
    except (AccessError, ValueError) as error:
        return _print_error_and_return_exit_code(error)


def _run_operator() -> int:
    try:
        chosen = settings_from_environment(os.environ)
    except ValueError as error:
        return _print_error_and_return_exit_code(error)
    logs.configure_logging(chosen.log_level)
    allocator.return_freed_memory_to_system()
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
