"""The arguments of the commands that look at one thing: what happened, the symbols, the log, the page, a field."""

from __future__ import annotations

import argparse
from datetime import timedelta

from ..text.instants import parse_duration
from .argument_groups import add_document_output, add_namespace, add_selector, add_timeout

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


def add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", metavar="JOB", help="only this job; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=True)
    add_selector(parser)
    parser.add_argument("--since", type=_duration, metavar="2h", help="only what happened in this time; default: all")
    parser.add_argument("--gaps", action="store_true", help="only the gaps, with their sum")
    add_document_output(parser)


def add_symbols(parser: argparse.ArgumentParser) -> None:
    _add_job(parser)
    parser.add_argument("--stale", action="store_true", help="only stale symbols")
    add_document_output(parser)


def add_restart(parser: argparse.ArgumentParser) -> None:
    _add_job(parser)
    add_timeout(parser, "90s", "how long to wait until the new pod streams; 0s: do not wait")
    add_document_output(parser)


def add_logs(parser: argparse.ArgumentParser) -> None:
    _add_job(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="show new lines until you press Ctrl-C")
    parser.add_argument("--since", type=_duration, metavar="10m", help="only lines of this time")
    parser.add_argument("--tail", type=int, metavar="LINES", help="only so many of the last lines")
    parser.add_argument("-p", "--previous", action="store_true", help="the log of the container before its restart")
    parser.add_argument("--level", choices=LOG_LEVELS, default="debug", help="the least level; default: debug")
    parser.add_argument("-o", "--output", choices=("json",), default="", help="the lines as they are; default: text")


def add_open(parser: argparse.ArgumentParser) -> None:
    _add_job(parser)
    parser.add_argument("--page", metavar="URL", help="the address of the page; default: $SLUICE_PAGE_URL")
    parser.add_argument("--no-browser", action="store_true", help="only print the link")


def add_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("field", nargs="?", default="", metavar="FIELD", help="such as limits.writesPerSecond")
    add_document_output(parser)


def _add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="the job; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=False)


def _duration(text: str) -> timedelta:
    """Return the duration of a text such as `2h`."""
    duration = parse_duration(text)
    if duration is None:
        raise argparse.ArgumentTypeError(f"{text} is not a duration: write it like 30s, 10m or 2h")
    return duration
