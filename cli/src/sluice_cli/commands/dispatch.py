"""Parses a command line, and runs its command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ..early_start import EarlyProcesses
from ..text.terminal import terminal_of
from ..transport import Kubectl, Request, TransportError
from .arguments import argument_parser, command_options, connection_options
from .cluster_requests import ClusterRequests, needs_pauses, start_status_requests, status_scope
from .command_table import COMMANDS, Run
from .context import USAGE, Context, UsageError


def run_command(words: Sequence[str], early: EarlyProcesses | None) -> int:
    """Run one command. Return its exit code. `early` are processes that were started for these words."""
    options = argument_parser(words).parse_args(words)
    kubectl = Kubectl(connection_options(options))
    terminal = terminal_of(sys.stdout, os.environ, options.color)
    context = Context(kubectl, terminal, sys.stdout, sys.stderr, sys.stdin, os.environ)
    try:
        if options.command == "status" and not options.watch:
            context = context._replace(requests=_status_requests(options, kubectl, early))
        code: int = _function_of(options.command)(options, context)
    except UsageError as error:
        context.warn(f"{error}", f"See kubectl sluice {options.command} --help")
        return USAGE
    except TransportError as error:
        context.warn(str(error))
        return error.exit_code
    finally:
        if context.requests is not None:
            context.requests.discard()
    return code


def write_completions(words: Sequence[str]) -> int:
    """Write the completions of the last word. Return the exit code."""
    from .completion import completions  # noqa: PLC0415  only a completion needs it

    for each in completions(words, command_options(), Kubectl()):
        sys.stdout.write(each + "\n")
    return 0


def _status_requests(options: argparse.Namespace, kubectl: Kubectl, early: EarlyProcesses | None) -> ClusterRequests:
    """Return the requests of the early processes if they read what the options ask for; otherwise start others."""
    if early is None or needs_pauses(options):
        return start_status_requests(options, kubectl)
    if (early.connection, early.scope) == (connection_options(options), status_scope(options)):
        return ClusterRequests(Request(early.jobs), Request(early.lease))
    return start_status_requests(options, kubectl)


def _function_of(name: str) -> Run:
    """Import only what the command needs: half of the time of a short command is imports."""
    command = COMMANDS[name]
    run: Run = getattr(importlib.import_module(f"sluice_cli.commands.{command.module}"), command.function)
    return run
