"""What is wrong with a file is tested with provider replay, in test_replay.py."""

import gzip
from pathlib import Path

import pytest

from sluice_runtime.adapters.tape_file import open_tape
from sluice_runtime.adapters.tape_rows import TapeError
from sluice_runtime.domain.failure import StreamError


def test_the_lines_of_a_compressed_tape(tmp_path: Path) -> None:
    path = tmp_path / "day.csv.gz"
    path.write_bytes(gzip.compress(b"a\nb\n"))

    with open_tape(path, "") as lines:
        assert list(lines) == ["a\n", "b\n"]


def test_a_missing_tape_says_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(StreamError, match=r"the tape day\.csv does not exist; copy day\.csv to"),
        open_tape(tmp_path / "day.csv", "copy {name} to {directory}"),
    ):
        pass


def test_a_problem_of_the_lines_is_one_of_the_tape(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("a\n")

    with pytest.raises(StreamError, match="line 1 is wrong") as error, open_tape(path, ""):
        raise TapeError("line 1 is wrong")
    assert error.value.kind == "configuration"
