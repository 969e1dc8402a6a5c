import msgspec
import pytest

from sluice_contract.synthetic import SyntheticSettings


def test_every_field_is_optional() -> None:
    assert msgspec.convert({}, SyntheticSettings) == SyntheticSettings(seed=1, quotes_per_second=5, faults=[])


def test_a_fault_has_a_kind_a_start_and_a_duration() -> None:
    faults = [{"kind": "gap", "afterSeconds": 10, "forSeconds": 5}]
    assert msgspec.to_builtins(msgspec.convert({"faults": faults}, SyntheticSettings)) == {"faults": faults}


@pytest.mark.parametrize(
    "block",
    [
        {"seed": -1},
        {"quotesPerSecond": 0},
        {"faults": [{"kind": "crash", "afterSeconds": 1, "forSeconds": 1}]},
        {"faults": [{"kind": "halt", "afterSeconds": 1}]},
        {"faults": [{"kind": "mute", "afterSeconds": 1, "forSeconds": 0}]},
    ],
)
def test_values_out_of_bounds_are_rejected(block: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(block, SyntheticSettings)
