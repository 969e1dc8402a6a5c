"""`kubectl sluice`: runs one command, and turns its failures into exit codes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from .early_start import EarlyProcesses, start_early

FAILED, INTERRUPTED = 1, 130
_COMPLETE = "__complete"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    early = start_early(words)
    gc.disable()  # a short command ends before its garbage matters: with 100 jobs, this saves 10 ms
    try:
        return _run(words, early)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has ended. Nothing is written any more, not even at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail_to_write(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        gc.enable()
        if early is not None:
            early.discard()


def _run(words: list[str], early: EarlyProcesses | None) -> int:
    from .commands.dispatch import run_command, write_completions  # noqa: PLC0415  kubectl works meanwhile

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    return write_completions(words[1:]) if words[:1] == [_COMPLETE] else run_command(words, early)


def run() -> None:
    """Run the command of this process, then end the process at once, because freeing its objects takes milliseconds."""
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 0
    except OSError as error:
        code = code or _fail_to_write(error)
    os._exit(code)


def _fail_to_write(error: OSError) -> int:
    os.write(2, f"The output is incomplete: {error.strerror}. Write it to another place.\n".encode())
    return FAILED


if __name__ == "__main__":
    run()
