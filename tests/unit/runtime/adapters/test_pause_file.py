from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from sluice_runtime.adapters.pause_file import ManualPause, ManualPauses, PauseFile

EARLY = ManualPause(since=datetime(2026, 3, 2, 15, 0, tzinfo=UTC), reason="bad prints")
LATE = ManualPause(since=EARLY.since + timedelta(hours=1), reason="vendor")


def test_symbols_and_the_whole_job_are_paused_independently() -> None:
    symbols = ManualPauses().with_pauses_added(["AAPL", "MSFT"], EARLY)
    assert symbols == ManualPauses(symbols={"AAPL": EARLY, "MSFT": EARLY})
    both = symbols.with_pauses_added([], LATE)
    assert both == ManualPauses(job=LATE, symbols=symbols.symbols)
    assert both.with_pauses_removed([]) == symbols
    assert both.with_pauses_removed(["AAPL"]) == ManualPauses(job=LATE, symbols={"MSFT": EARLY})


def test_a_pause_that_is_there_keeps_its_time_and_its_reason() -> None:
    before = ManualPauses(job=EARLY, symbols={"AAPL": EARLY})
    assert before.with_pauses_added([], LATE) == before
    assert before.with_pauses_added(["MSFT", "AAPL"], LATE).symbols == {"AAPL": EARLY, "MSFT": LATE}


def test_resuming_a_symbol_that_is_not_paused_changes_nothing() -> None:
    before = ManualPauses(symbols={"AAPL": EARLY})
    assert before.with_pauses_removed(["MSFT"]) == before.with_pauses_removed([]) == before


def test_without_a_file_there_are_no_pauses(tmp_path: Path) -> None:
    file = PauseFile(tmp_path / "nowhere")
    assert file.read() == ManualPauses()
    assert not file.path.parent.exists()


def test_written_pauses_are_read_back(tmp_path: Path) -> None:
    written = ManualPauses(job=LATE, symbols={"BRK.B": EARLY, "BTC/USD": LATE})
    PauseFile(tmp_path / "made" / "on demand").write(written)
    assert PauseFile(tmp_path / "made" / "on demand").read() == written
    PauseFile(tmp_path / "made" / "on demand").write(ManualPauses())
    assert PauseFile(tmp_path / "made" / "on demand").read() == ManualPauses()


def test_two_directories_are_two_states(tmp_path: Path) -> None:
    PauseFile(tmp_path / "one").write(ManualPauses(job=EARLY))
    assert PauseFile(tmp_path / "two").read() == ManualPauses()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"job": {}}', '{"symbols": {"A-B": {"since": "2026-03-02T15:00:00Z"}}}']
)
def test_a_damaged_file_is_an_error_and_does_not_mean_no_pauses(tmp_path: Path, content: str) -> None:
    file = PauseFile(tmp_path)
    file.path.write_text(content)
    with pytest.raises(msgspec.MsgspecError):
        file.read()


def test_a_failed_write_leaves_the_file_unchanged(tmp_path: Path) -> None:
    file = PauseFile(tmp_path)
    file.write(ManualPauses(job=EARLY))
    file.path.with_name("pauses.json.new").mkdir()
    with pytest.raises(OSError, match=r"pauses\.json"):
        file.write(ManualPauses())
    assert file.read() == ManualPauses(job=EARLY)
