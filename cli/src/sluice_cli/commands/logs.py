"""`kubectl sluice logs`: the log of a job's pod, in lines for people."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator

from ..contract import contract, pod_name
from ..model.log_line import parse_log_line
from ..text.printable import printable
from ..transport import NotFoundError, Result, output_of
from ..views.log_text import log_text
from .context import DONE, NOT_REACHED, Context
from .selection import selection_of


def run_logs(options: argparse.Namespace, context: Context) -> int:
    """Show the log. Return the exit code."""
    selection = selection_of(options, [options.job])
    pod = pod_name(selection.names[0])
    process = context.kubectl.open_process("logs", pod, *selection.scope, *_log_options(options))
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        for line in process.stdout or ():
            _show(line.rstrip("\r\n"), options, context)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        reader.join()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    try:
        output_of(Result(process.returncode, "", "".join(errors).strip()))
    except NotFoundError:
        context.warn(
            f"Pod {pod} does not exist: job {selection.names[0]} does not exist, or it has no pod now.",
            f"  → kubectl sluice status {selection.names[0]} {' '.join(selection.scope)}".rstrip(),
        )
        return NOT_REACHED
    return DONE


def _log_options(options: argparse.Namespace) -> Iterator[str]:
    yield f"--container={contract()['container']}"
    if options.follow:
        yield "--follow"
    if options.previous:
        yield "--previous"
    if options.tail is not None:
        yield f"--tail={options.tail}"
    if options.since is not None:
        yield f"--since={int(options.since.total_seconds())}s"


def _show(text: str, options: argparse.Namespace, context: Context) -> None:
    """Write one line. A line that is not Sluice's passes, without control characters."""
    line = parse_log_line(text)
    if line is None:
        context.write(printable(text))
    elif line.is_at_least(options.level):
        context.write(*([text] if options.output else log_text(line, context.terminal)))
