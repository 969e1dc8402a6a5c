import logging
from pathlib import Path

import pytest

from sluice_runtime.adapters.runtime_id import read_or_create_runtime_id


def test_the_id_outlives_the_process_and_differs_by_directory(tmp_path: Path) -> None:
    first = read_or_create_runtime_id(tmp_path / "a" / "b")
    assert read_or_create_runtime_id(tmp_path / "a" / "b") == first
    assert read_or_create_runtime_id(tmp_path / "c") != first


@pytest.mark.parametrize("content", [b"", b"no id", b"\xff\xfe"])
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "runtime-id").write_bytes(content)
    created = read_or_create_runtime_id(tmp_path)
    assert read_or_create_runtime_id(tmp_path) == created


def test_without_a_usable_directory_a_warning_says_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        first = read_or_create_runtime_id(tmp_path / "file")
    assert read_or_create_runtime_id(tmp_path / "file") != first
    assert "make the directory writable, or name another in SLUICE_STATE_DIR" in caplog.text
