"""The arguments of the commands. Their names are those of kubectl."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..text.instants import parse_duration
from .context import Context

_PROGRAM = "kubectl sluice"
_FORMATS = ("json", "yaml", "name")
_CONNECTION = ("context", "kubeconfig", "as", "as-group", "request-timeout")

Run = Callable[[argparse.Namespace, Context], int]


class Command(NamedTuple):
    """A command: its help, what adds its arguments, and the module and function that run it."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    module: str
    function: str


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", metavar="JOB", help="show one job as a tree; NAMESPACE/JOB works too")
    _add_namespace(parser, has_all=True)
    _add_selector(parser)
    parser.add_argument("-o", "--output", choices=(*_FORMATS, "wide"), default="", help="default: text")
    parser.add_argument("-w", "--watch", action="store_true", help="show changes until you press Ctrl-C")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless each job streams, is paused or has finished"
    )
    parser.add_argument("--paused", action="store_true", help="only paused jobs and symbols, with what ends each pause")
    parser.add_argument("--stale", action="store_true", help="only jobs with stale symbols, or whose pod is silent")


def _add_pause(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="the jobs to pause")
    _add_namespace(parser, has_all=False)
    _add_selector(parser)
    parser.add_argument("--all", action="store_true", help="every job of the namespace, also one created later")
    parser.add_argument(
        "--fleet", action="store_true", help="every job in every namespace; asks for the number of feeds"
    )
    parser.add_argument(
        "--provider",
        action="append",
        metavar="NAME[:FEED]",
        help="with --fleet: only this provider, or this feed of it",
    )
    parser.add_argument("--symbols", metavar="A,B", help="only these symbols; the others stream on")
    parser.add_argument("--for", dest="duration", metavar="30m", help="how long; default: until you resume")
    parser.add_argument("--until", metavar="TIME", help="the end: 14:00Z, or 2026-11-28T14:00:00Z")
    parser.add_argument("--reason", help="why, for the people who will see the pause; required")
    _add_timeout(parser, "30s", "how long to wait for the acknowledgement; 0s: do not wait")
    parser.add_argument("-o", "--output", choices=_FORMATS, default="", help="default: text")


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="the jobs to resume")
    _add_namespace(parser, has_all=False)
    _add_selector(parser)
    parser.add_argument(
        "--all", action="store_true", help="every job of the namespace: deletes all its IngestPauses of jobs"
    )
    parser.add_argument("--pause", metavar="NAME", help="delete this IngestPause, whatever it covers")
    parser.add_argument("--fleet", action="store_true", help="with --pause: it is a ClusterIngestPause")
    _add_timeout(parser, "30s", "how long to wait until the jobs stream; 0s: do not wait")
    parser.add_argument("-o", "--output", choices=_FORMATS, default="", help="default: text")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--client", action="store_true", help="only the plugin's own version")
    parser.add_argument("-o", "--output", choices=("json", "yaml"), default="", help="default: text")


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    del parser


COMMANDS = {
    "status": Command("show the jobs, the worst first; or one job as a tree", _add_status, "status", "run_status"),
    "pause": Command("stop jobs, symbols or the fleet, with a reason", _add_pause, "pause", "run_pause"),
    "resume": Command("end pauses, and name what still holds", _add_resume, "resume", "run_resume"),
    "version": Command("show the versions of plugin, API and operator", _add_version, "version", "run_version"),
    "completion": Command("print the script kubectl_complete-sluice", _add_nothing, "completion", "run_completion"),
}


def argument_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of a command line. With `words`, only the command among them has its arguments."""
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Show, pause and resume market data feeds.",
        epilog="Exit codes: 0 done; 1 goal not reached, or refused; 2 usage; 3 no API server, or no permission.",
        formatter_class=_formatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog=_PROGRAM)
    for name, command in COMMANDS.items():
        description = f"{command.help[0].upper()}{command.help[1:]}."
        added = commands.add_parser(name, help=command.help, description=description, formatter_class=_formatter)
        if not words or name in words:
            command.add_arguments(added)
            _add_connection(added)
    return parser


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


def _add_namespace(parser: argparse.ArgumentParser, *, has_all: bool) -> None:
    parser.add_argument("-n", "--namespace", default="", help="default: that of the context")
    if has_all:
        parser.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces")


def _add_selector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="only jobs with these labels: desk=rates"
    )


def _add_timeout(parser: argparse.ArgumentParser, default: str, text: str) -> None:
    parser.add_argument("--timeout", type=_seconds, default=_seconds(default), metavar=default, help=text)


def _seconds(text: str) -> float:
    """Return the seconds of a duration such as `30s`; `0` and `0s` are 0."""
    if text in ("0", "0s"):
        return 0.0
    duration = parse_duration(text)
    if duration is None:
        raise argparse.ArgumentTypeError(f"{text} is not a duration: write it like 30s or 2m")
    return duration.total_seconds()


def _add_connection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    group = parser.add_argument_group("cluster and user, as for kubectl")
    for name in _CONNECTION:
        group.add_argument(f"--{name}", action="append" if name == "as-group" else "store", metavar="VALUE")
