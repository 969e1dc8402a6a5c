import msgspec
import pytest

from sluice_runtime.providers.alpaca.trade_conditions import RULES, SaleConditions, rule_of_conditions


def conditions(*codes: str) -> SaleConditions:
    return msgspec.convert(codes, SaleConditions)


def test_the_codes_are_those_of_the_array_and_more_than_six_are_ignored() -> None:
    assert conditions().codes == ()
    assert conditions("@", "F", "T", "I").codes == ("@", "F", "T", "I")
    assert conditions(*"@FTIVWX").codes == tuple("@FTIVW")


@pytest.mark.parametrize(
    ("tape", "codes", "size", "effect"),
    [
        ("A", ("@",), 100.0, "sets"),
        ("A", ("@", "4", "W"), 100.0, "first_of_day"),
        ("C", ("@", "4", "W"), 100.0, "never"),
        ("C", ("@", "I"), 1.0, "never"),
        ("C", ("@",), 0.0, "never"),
        ("C", ("@", "9"), 0.0, "sets"),
        ("", (), 0.0001, "sets"),
    ],
)
def test_the_rule_is_that_of_tape_codes_and_size(tape: str, codes: tuple[str, ...], size: float, effect: str) -> None:
    for _ in range(2):
        assert rule_of_conditions(tape, conditions(*codes), size).effect == effect


def test_a_trade_without_conditions_is_a_regular_sale() -> None:
    assert rule_of_conditions("", None, 1.0).effect == "sets"
    assert rule_of_conditions("", None, 0.0).effect == "never"


def test_unexpected_texts_occupy_limited_memory() -> None:
    for n in range(3000):
        assert rule_of_conditions("A", conditions(f"unexpected {n}"), 1.0).unknown_codes == (f"unexpected {n}",)
        assert rule_of_conditions(f"tape {n}", None, 1.0).effect == "sets"
    assert len(RULES) <= 10
    assert len(RULES["A"]) <= 1000
