"""The parser of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from .command_table import COMMANDS

_PROGRAM = "kubectl sluice"
# Not in the list of the first help screen, which names them in one line.
UNLISTED = ("purge", "open", "version", "schema", "completion")
_CONNECTION = ("context", "kubeconfig", "as", "as-group", "request-timeout")


def argument_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of a command line. With `words`, only the command among them has its arguments."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Show, pause and resume market data feeds.",
        epilog=_epilog(),
        formatter_class=_formatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog=_PROGRAM)
    for name, command in COMMANDS.items():
        description = f"{command.help[0].upper()}{command.help[1:]}."
        listed: dict[str, Any] = {"help": command.help} if name not in UNLISTED else {}
        added = commands.add_parser(name, description=description, formatter_class=_formatter, **listed)
        if not words or name in words:
            command.add_arguments(added)
            _add_connection(added)
    return parser


def _epilog() -> str:
    codes = "Exit codes: 0 done; 1 goal not reached, or refused; 2 usage; 3 no API server, or no permission."
    return f"Also: {', '.join(UNLISTED)}. Help of a command: {_PROGRAM} COMMAND --help. {codes}"


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return what formats the help. With a fixed width, argparse does not import shutil, which takes 8 ms."""
    return argparse.HelpFormatter(prog, max_help_position=28, width=100)


class _OptionNames(argparse.ArgumentParser):
    """Collects the names of the options that are added."""

    def __init__(self) -> None:
        self.names: list[str] = []
        super().__init__(formatter_class=_formatter)

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        self.names += [each for each in names if each.startswith("-")]
        return super().add_argument(*names, **options)


def command_options() -> dict[str, list[str]]:
    """Return the options of each command, for the completion."""
    found = {}
    for name, command in COMMANDS.items():
        parser = _OptionNames()
        command.add_arguments(parser)
        found[name] = [*parser.names, "--color", *(f"--{each}" for each in _CONNECTION)]
    return found


def connection_options(options: argparse.Namespace) -> list[str]:
    """Return the options for kubectl that choose the cluster and the user."""
    given = ((name, getattr(options, name.replace("-", "_"))) for name in _CONNECTION)
    return [
        f"--{name}={each}" for name, value in given for each in ([value] if isinstance(value, str) else value or ())
    ]


def _add_connection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    group = parser.add_argument_group("cluster and user, as for kubectl")
    for name in _CONNECTION:
        group.add_argument(f"--{name}", action="append" if name == "as-group" else "store", metavar="VALUE")
