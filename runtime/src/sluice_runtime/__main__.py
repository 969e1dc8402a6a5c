"""`sluice-runtime`: the program of the ingest pod, and the command line tool for use without a cluster."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec

from sluice_contract import identity

from . import logs
from .adapters.hangup_signal import ignore_hangup
from .argument_parser import PlainArgumentParser
from .lean_imports import without_garbage_collection
from .serve.arguments import add_serve_commands
from .settings import SettingsError, pod_settings

_EMULATOR = "FIRESTORE_EMULATOR_HOST"
_INTERRUPTED = 128 + signal.SIGINT  # as shells report it


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code.

    The code is 0 for success and for a fenced runtime, 1 for a failed check, and 2 for wrong settings, which standard
    error explains. It is 130 if Ctrl-C interrupts a command that has no orderly end, such as a start.
    """
    try:
        return _run_command(_argument_parser().parse_args(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        _flush_stdout()


def _run_command(arguments: argparse.Namespace) -> int:
    try:
        if os.environ.get(_EMULATOR) == "":
            del os.environ[_EMULATOR]  # Google's client would treat it as an emulator without a name
        if arguments.command == "run":
            ignore_hangup()
        if arguments.command == "run" and identity.JOB_ENV in os.environ and arguments.file is None:
            return _run_pod(arguments)
        if arguments.command == "purge":
            return _run_purge(arguments)
        return _run_outside_pod(arguments)
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
    parser = PlainArgumentParser(prog="sluice-runtime", description="Streams quotes from a provider to Firestore.")
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
    preflight = actions.add_parser("preflight", help="check account, entitlement, symbols and clock with the provider")
    preflight.add_argument("-f", "--file", type=Path, help="an IngestJob (YAML or JSON); default: the environment")
    preflight.add_argument(
        "--json", action="store_true", help="print one JSON array, and exit 0 whatever the findings are"
    )
    preflight.add_argument(
        "--symbols-from-stdin", action="store_true", help="read the symbols as a JSON array from stdin"
    )
    contact = actions.add_parser(
        "first-contact",
        help="check the provider's test stream, Google's identity and a write to Firestore with your keys",
    )
    contact.add_argument("checks", nargs="*", metavar="CHECK", help="stream, identity, firestore; default: all")
    contact.add_argument("-f", "--file", type=Path, help="take the tenant and spec.firestore from this IngestJob")
    contact.add_argument("--stream-url", help="a server to use in place of the provider's own")
    contact.add_argument(
        "--seconds", type=_parse_seconds, default=30.0, help="how long to wait for a quote (default %(default)s)"
    )
    add_serve_commands(actions)
    purge = actions.add_parser("purge", help="delete the Firestore documents of the job of a paused pod")
    purge.add_argument("--dry-run", action="store_true", help="count the documents, and delete none")
    purge.add_argument("--result-file", type=Path, metavar="FILE", help="also write the counts to this file, as JSON")
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


def _run_pod(arguments: argparse.Namespace) -> int:
    settings = msgspec.structs.replace(pod_settings(os.environ), record_file=arguments.record)
    logs.configure_logging(settings.log_level, settings.job)
    # After the settings: a mistake in them is reported before the slow import of Google's client.
    with without_garbage_collection():
        from .app import run_pod  # noqa: PLC0415

    asyncio.run(run_pod(settings, os.environ))
    return 0


def _run_purge(arguments: argparse.Namespace) -> int:
    settings = pod_settings(os.environ)
    logs.configure_logging("WARNING", settings.job)
    from .purge import run_purge  # noqa: PLC0415  after the settings, likewise

    return run_purge(settings, is_dry_run=arguments.dry_run, result_file=arguments.result_file, say=print)


def _run_first_contact(arguments: argparse.Namespace) -> int:
    from . import cli, first_contact  # noqa: PLC0415

    if unknown := set(arguments.checks) - set(first_contact.CHECKS):
        raise SettingsError(f"{min(unknown)} is not a check; use {', '.join(first_contact.CHECKS)}")
    job = cli.job_reader(arguments.file, os.environ)() if arguments.file else None
    plain = first_contact.first_contact_settings(os.environ, job)
    settings = msgspec.structs.replace(plain, stream_url=arguments.stream_url, quote_seconds=arguments.seconds)
    return first_contact.run_first_contact(settings, arguments.checks, lambda line: print(line, flush=True))


def _run_outside_pod(arguments: argparse.Namespace) -> int:
    """Run a command outside a pod, and return the exit code. A pod needs none of the imports in this function."""
    from . import cli  # noqa: PLC0415

    _clean_environment(arguments.command)
    match arguments.command:
        case "pause" | "resume" | "paused":
            return cli.run_pause_command(arguments, os.environ, print)
        case "smoke" if arguments.base_url:
            return cli.run_http_smoke_test(arguments.base_url, arguments.seconds, os.environ, print)
        case "preflight":
            return _run_preflight(arguments)
        case "first-contact":
            return _run_first_contact(arguments)
        case "serve" | "sample-tape":
            return _run_serve(arguments)
    return _run_standalone_runtime(arguments)


def _run_serve(arguments: argparse.Namespace) -> int:
    try:
        from .serve import command  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(f"the package {error.name} is missing; install sluice-relay") from None
    if arguments.command == "sample-tape":
        return command.run_sample_tape(arguments, print)
    return command.run_serve(arguments, os.environ, lambda line: print(line, flush=True))


def _run_preflight(arguments: argparse.Namespace) -> int:
    from . import cli  # noqa: PLC0415

    if arguments.json:
        os.nice(10)  # a running stream calls it, and has priority
    settings = cli.settings_for_preflight(arguments.file, os.environ)
    if arguments.symbols_from_stdin:
        settings = cli.with_symbols_from_json(settings, sys.stdin.buffer.read())
    return cli.run_preflight(settings, os.environ, print, as_json=arguments.json)


def _run_standalone_runtime(arguments: argparse.Namespace) -> int:
    """Run a runtime without Kubernetes until it is stopped, or as a smoke test. Return the exit code."""
    from . import cli  # noqa: PLC0415

    read = cli.job_reader(arguments.file, os.environ)
    plain = cli.settings_for_job(read(), os.environ, arguments.file)
    settings = msgspec.structs.replace(plain, record_file=getattr(arguments, "record", None))
    logs.configure_logging(settings.log_level, settings.job)
    if arguments.file is not None:
        cli.log_variables_without_effect(arguments.file, os.environ)
    with without_garbage_collection():
        from .standalone import StandaloneRuntime  # noqa: PLC0415

    runtime = StandaloneRuntime(settings, read, os.environ)
    if arguments.command == "run":
        runtime.run_until_stopped(arguments.port)
        return 0
    passed, sentence = runtime.run_smoke_test(arguments.seconds)
    print(f"{'PASS' if passed else 'FAIL'}: {sentence}")
    return 0 if passed else 1


def _clean_environment(command: str) -> None:
    from .environment_variables import SERVE_VARIABLES, STATE_VARIABLES, clean_environment  # noqa: PLC0415

    if command in ("pause", "resume", "paused"):
        clean_environment(os.environ, STATE_VARIABLES)  # no other variable may refuse a pause
    elif command in ("serve", "sample-tape"):
        clean_environment(os.environ, SERVE_VARIABLES)
    elif identity.JOB_ENV not in os.environ:
        clean_environment(os.environ)


if __name__ == "__main__":
    sys.exit(main())
