from datetime import timedelta
from pathlib import Path

import pytest

from sluice_contract.label_selector import LabelSelector
from sluice_runtime.adapters.stored_pauses import StoredPausesFile
from sluice_runtime.domain.pause_objects import KnownPauses, PauseObject, PausesOfKind
from support.virtual_time import START

PAUSE = PauseObject(
    source="pause:x",
    selector=LabelSelector(match_labels={"desk": "rates"}),
    symbols=("AAPL",),
    reason="vendor",
    until=START + timedelta(hours=1),
    by="alice",
)
KNOWN = KnownPauses(of_namespace=PausesOfKind(pauses=(PAUSE,)))


def test_pauses_are_read_as_they_were_written_by_the_same_job_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pauses.json"
    file = StoredPausesFile(path, "0b0b")
    assert file.read() is None
    file.write(KNOWN)
    assert file.read() == KNOWN
    assert StoredPausesFile(path, "another").read() is None


def test_a_damaged_file_is_no_file_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "pauses.json"
    path.write_bytes(b"{")
    assert StoredPausesFile(path, "0b0b").read() is None
    assert "cannot read the cached pauses" in caplog.text


def test_a_disk_that_fails_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    StoredPausesFile(blocked / "pauses.json", "0b0b").write(KNOWN)
    assert "cannot cache the pauses" in caplog.text
