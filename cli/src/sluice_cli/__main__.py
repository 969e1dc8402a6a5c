"""`kubectl sluice`: runs one command, and turns its failures into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from .commands.arguments import argument_parser, command_options, connection_options
from .commands.cluster_requests import start_status_requests
from .commands.command_table import COMMANDS, Run
from .commands.context import USAGE, Context, UsageError
from .text.terminal import terminal_of
from .transport import Kubectl, TransportError

INTERRUPTED = 130
_COMPLETE = "__complete"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        return _complete(words[1:]) if words[:1] == [_COMPLETE] else _run(words)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has ended. Nothing is written any more, not even at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(words: Sequence[str]) -> int:
    options = argument_parser(words).parse_args(words)
    kubectl = Kubectl(connection_options(options))
    terminal = terminal_of(sys.stdout, os.environ, options.color)
    context = Context(kubectl, terminal, sys.stdout, sys.stderr, sys.stdin, os.environ)
    try:
        if options.command == "status" and not options.watch:
            context = context._replace(requests=start_status_requests(options, kubectl))
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


def _function_of(name: str) -> Run:
    """Import only what the command needs: half of the time of a short command is imports."""
    command = COMMANDS[name]
    run: Run = getattr(importlib.import_module(f"sluice_cli.commands.{command.module}"), command.function)
    return run


def _complete(words: Sequence[str]) -> int:
    from .commands.completion import completions  # noqa: PLC0415  only a completion needs it

    for each in completions(words, command_options(), Kubectl()):
        sys.stdout.write(each + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
