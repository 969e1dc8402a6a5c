"""`sluice-runtime run`: what the ingest pod executes."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from . import logs
from .settings import SettingsError, settings


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: ended as asked, or fenced. 2: cannot start like this, standard error says why."""
    parser = argparse.ArgumentParser(prog="sluice-runtime", description="Streams quotes from a provider to Firestore.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the ingest pod (its settings come from the operator, by environment)")
    parser.parse_args(arguments)
    try:
        found = settings(os.environ)
        logs.configure(found.log_level, {"job": f"{found.job.namespace}/{found.job.name}", "epoch": found.job.epoch})
        # Google's client is slow to import: a mistake in the settings is told without it.
        from .app import run  # noqa: PLC0415

        asyncio.run(run(found))
    except SettingsError as error:
        print(f"sluice-runtime: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
