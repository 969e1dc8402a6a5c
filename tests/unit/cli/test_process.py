"""Processes whose output is kept, with Python in the place of kubectl."""

from __future__ import annotations

import sys

import pytest

from sluice_cli.process import SpawnedProcess
from support.deadlines import scaled


def python(code: str, text: str | None = None) -> SpawnedProcess:
    return SpawnedProcess([sys.executable, "-c", f"import sys\n{code}"], text)


def test_status_output_and_errors_are_kept() -> None:
    process = python("print('ä'); sys.stderr.write('no'); sys.exit(3)")
    assert process.result() == (3, "ä\n", "no")


def test_a_program_reads_the_text_or_nothing() -> None:
    assert python("print(repr(sys.stdin.read()))", "ä").result()[1] == "'ä'\n"
    assert python("print(repr(sys.stdin.read()))").result()[1] == "''\n"


def test_a_text_that_the_program_does_not_read_is_no_error() -> None:
    assert python("sys.stdin.close()", "x" * (1 << 20)).result()[0] == 0


def test_more_than_a_pipe_holds_is_read_from_both_pipes() -> None:
    status, output, errors = python("sys.stderr.write('e' * (1 << 20)); sys.stdout.write('o' * (1 << 20))").result()
    assert (status, len(output), len(errors)) == (0, 1 << 20, 1 << 20)


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert python("sys.stdout.buffer.write(b'a\\xff')").result()[1] == "a\N{REPLACEMENT CHARACTER}"


def test_a_process_that_takes_too_long_is_ended() -> None:
    assert python("print(1, flush=True); import time; time.sleep(600)").result(0.05)[0] == -9
    assert python("print(1)").result(scaled(10)) == (0, "1\n", "")


def test_a_process_is_discarded_once() -> None:
    process = python("import time; time.sleep(600)")
    process.discard()
    process.discard()


def test_a_process_that_was_waited_for_is_not_discarded() -> None:
    process = python("print(1)")
    assert process.result()[0] == 0
    process.discard()


def test_a_program_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        SpawnedProcess(["no-such-program"], "text")
