import msgspec
import pytest

from sluice_contract.replay import Replay


def replay(**tape: object) -> Replay:
    return msgspec.convert({"tape": tape}, Replay)


def test_a_tape_is_a_key_or_a_file() -> None:
    assert replay(configMapRef={"name": "tapes"}).tape.file == "tape.csv.gz"
    assert replay(configMapRef={"name": "tapes", "key": "day.csv"}).tape.file == "day.csv"
    assert replay(claimRef={"name": "tapes", "path": "2013/10-07.csv.gz"}).tape.file == "2013/10-07.csv.gz"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../tape.csv", "a/../b", "a//b", "a/", ".hidden"])
def test_a_path_stays_in_its_volume(path: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        replay(claimRef={"name": "tapes", "path": path})
