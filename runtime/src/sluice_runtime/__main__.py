"""`sluice-runtime`: the program of the ingest pod, and the command line tool for use without a cluster."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import msgspec

from sluice_contract import identity

from . import logs
from .lean_imports import without_garbage_collection
from .settings import SettingsError, pod_settings

_EMULATOR = "FIRESTORE_EMULATOR_HOST"


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code.

    The code is 0 for success and for a fenced runtime, 1 for a failed check, and 2 for wrong settings, which standard
    error explains.
    """
    try:
        return _run_command(_argument_parser().parse_args(arguments))
    finally:
        _flush_stdout()


def _run_command(given: argparse.Namespace) -> int:
    try:
        if os.environ.get(_EMULATOR) == "":
            del os.environ[_EMULATOR]  # Google's client would treat it as an emulator without a name
        if given.command == "run" and identity.JOB_ENV in os.environ and given.file is None:
            return _run_pod(given)
        return _run_outside_pod(given)
    except SettingsError as error:
        print(f"sluice-runtime: {error}", file=sys.stderr)
        return 2


def _flush_stdout() -> None:
    """Flush standard output and ignore a closed pipe, for which the interpreter would exit with an error code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sluice-runtime", description="Streams quotes from a provider to Firestore.")
    actions = parser.add_subparsers(dest="command", required=True)
    run = actions.add_parser("run", help="run in a pod, or standalone from a document or the environment")
    run.add_argument("-f", "--file", type=Path, help="run this IngestJob (YAML or JSON) without Kubernetes")
    run.add_argument("--record", type=Path, metavar="FILE", help="record the quotes as a tape; compressed if .gz")
    run.add_argument(
        "--port",
        type=_parse_port,
        default=identity.HTTP_PORT,
        help="port of the standalone HTTP interface (default %(default)s)",
    )
    smoke = actions.add_parser("smoke", help="stream for a while and print PASS or FAIL")
    smoke.add_argument("-f", "--file", type=Path, help="an IngestJob (YAML or JSON); default: the environment")
    smoke.add_argument("--seconds", type=_parse_seconds, default=60.0, help="how long to stream (default %(default)s)")
    smoke.add_argument("--base-url", help="test the running runtime at this URL: status, reload, dry start, stop")
    look = actions.add_parser("preflight", help="check account, entitlement, symbols and clock with Alpaca")
    look.add_argument("-f", "--file", type=Path, help="an IngestJob (YAML or JSON); default: the environment")
    look.add_argument("--json", action="store_true", help="print one JSON array, and exit 0 whatever the findings are")
    look.add_argument("--symbols-from-stdin", action="store_true", help="read the symbols as a JSON array from stdin")
    for name, text in (
        ("pause", "pause symbols of a standalone runtime; without symbols, the whole job"),
        ("resume", "resume symbols; without symbols, the whole job"),
        ("paused", "list manual pauses; with symbols, exit 1 unless all of them are paused"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("symbols", nargs="*", metavar="SYMBOL")
        if name == "pause":
            action.add_argument("--reason", default="", help="the reason, shown in the status")
    return parser


def _parse_port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; use a number from 1 to 65535")
    return int(text)


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; use a number of seconds above 0")
    return seconds


def _run_pod(given: argparse.Namespace) -> int:
    found = msgspec.structs.replace(pod_settings(os.environ), record_file=given.record)
    logs.configure_logging(found.log_level, found.job)
    with (
        without_garbage_collection()
    ):  # after the settings: a mistake in them is reported before the slow import of Google's client
        from .app import run  # noqa: PLC0415

    asyncio.run(run(found))
    return 0


def _run_outside_pod(given: argparse.Namespace) -> int:
    """Run a command for use outside a pod. Its imports are in the function, because a pod does not need them."""
    from . import cli  # noqa: PLC0415

    match given.command:
        case "pause" | "resume" | "paused":
            return cli.run_pause_command(given, os.environ, print)
        case "smoke" if given.base_url:
            return cli.run_http_smoke_test(given.base_url, given.seconds, os.environ, print)
        case "preflight":
            if given.json:
                os.nice(10)  # a running stream calls it, and has priority
            found = cli.settings_for_preflight(given.file, os.environ)
            if given.symbols_from_stdin:
                found = cli.with_symbols_from_json(found, sys.stdin.buffer.read())
            return cli.run_preflight(found, os.environ, print, as_json=given.json)
    read = cli.job_reader(given.file, os.environ)
    plain = cli.settings_for_job(read(), os.environ, given.file)
    found = msgspec.structs.replace(plain, record_file=getattr(given, "record", None))
    logs.configure_logging(found.log_level, found.job)
    with without_garbage_collection():
        from .standalone import StandaloneRuntime  # noqa: PLC0415

    runtime = StandaloneRuntime(found, read, os.environ)
    if given.command == "run":
        runtime.run_until_stopped(given.port)
        return 0
    passed, sentence = runtime.run_smoke_test(given.seconds)
    print(f"{'PASS' if passed else 'FAIL'}: {sentence}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
