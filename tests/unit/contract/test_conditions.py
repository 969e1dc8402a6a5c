import re
from pathlib import Path

from sluice_contract import conditions

CONSTANTS = {name: value for name, value in vars(conditions).items() if name.isupper() and isinstance(value, str)}


def test_every_type_and_reason_is_one_camel_case_word() -> None:
    assert CONSTANTS
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", value) for value in CONSTANTS.values())


def test_no_two_reasons_are_spelled_alike() -> None:
    reasons = [value for name, value in CONSTANTS.items() if name not in ("PAUSED", "STREAMING")]
    assert len(set(reasons)) == len(reasons)


def test_every_type_is_in_the_order_and_ready_is_first() -> None:
    assert conditions.ORDER[0] == conditions.READY
    assert len(set(conditions.ORDER)) == len(conditions.ORDER) == 8


def test_every_constant_has_a_meaning_unless_its_name_is_clear() -> None:
    source = Path(conditions.__file__).read_text()
    silent = re.findall(r"^([A-Z_]+): Final = \"[A-Za-z]+\"$", source, re.MULTILINE)
    assert set(silent) <= {"WRITES_ACCEPTED", "WRITES_FAILING", "NO_WRITES_YET"}
