import msgspec
import pytest

from sluice_contract.provider_block import ClaimMount, ConfigMapMount
from sluice_contract.replay import ReplaySettings


def replay(**tape: object) -> ReplaySettings:
    return msgspec.convert({"tape": tape}, ReplaySettings)


def test_a_tape_is_a_key_or_a_file() -> None:
    assert replay(configMapRef={"name": "tapes"}).tape.relative_path == "tape.csv.gz"
    assert replay(configMapRef={"name": "tapes", "key": "day.csv"}).tape.relative_path == "day.csv"
    assert replay(claimRef={"name": "tapes", "path": "2013/10-07.csv.gz"}).tape.relative_path == "2013/10-07.csv.gz"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../tape.csv", "a/../b", "a//b", "a/", ".hidden"])
def test_a_path_stays_in_its_volume(path: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        replay(claimRef={"name": "tapes", "path": path})


def test_the_pod_mounts_the_key_or_the_claim_of_the_tape() -> None:
    assert replay(configMapRef={"name": "tapes", "key": "day.csv"}).data_mounts == (
        ConfigMapMount(volume="tape", name="tapes", keys=("day.csv",), directory="/etc/sluice/tape"),
    )
    assert replay(claimRef={"name": "tapes"}).data_mounts == (
        ClaimMount(volume="tape", name="tapes", directory="/etc/sluice/tape"),
    )
