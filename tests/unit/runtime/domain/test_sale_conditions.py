"""Each cell of the tables of sale conditions, and what several conditions mean together.

The expected values are written out here, so that a change of a table changes two places.
"""

import pytest

from sluice_runtime.domain.sale_conditions import (
    CTA,
    NO_SALE,
    REGULAR_SALE,
    UTP,
    LastSaleEffect,
    last_sale_rule,
    metric_labels,
    rule_of_trade,
)

CTA_CELLS: dict[LastSaleEffect, str] = {
    "sets": " @EFKOX569",
    "same_venue": "L",
    "first_of_day": "PZ4",
    "never": "BCHIMNQRTUV78",
}
UTP_CELLS: dict[LastSaleEffect, str] = {
    "sets": " @ABDFKLOSXY1569",
    "first_of_day": "GPZ4",
    "never": "CHIMNQRTUVW7",
}


def cells(table: dict[LastSaleEffect, str], *tapes: str) -> list[tuple[str, str, LastSaleEffect]]:
    return [(tape, code, effect) for tape in tapes for effect, codes in table.items() for code in codes]


@pytest.mark.parametrize(("tape", "code", "effect"), [*cells(CTA_CELLS, "A", "B"), *cells(UTP_CELLS, "C")])
def test_a_condition_has_the_effect_of_its_tape_s_table(tape: str, code: str, effect: LastSaleEffect) -> None:
    rule = last_sale_rule(tape, (code,))
    assert (rule.effect, rule.tape, rule.unknown_codes) == (effect, tape, ())
    assert last_sale_rule(tape, ("@", code)).effect == effect


def test_the_tables_have_no_other_codes() -> None:
    assert CTA.keys() == set("".join(CTA_CELLS.values()))
    assert UTP.keys() == set("".join(UTP_CELLS.values()))


@pytest.mark.parametrize(
    ("tape", "codes", "effect"),
    [
        ("A", (), "sets"),
        ("A", ("@", "F", "I"), "never"),
        ("A", (" ", "4", "B"), "never"),
        ("A", ("@", "4", "L"), "first_of_day"),
        ("A", (" ", "L", "F"), "same_venue"),
        ("C", ("@", "6", "X"), "sets"),
        ("C", ("@", "4", "W"), "never"),
        ("B", (" ", "7", "V"), "never"),
    ],
)
def test_the_strictest_condition_counts(tape: str, codes: tuple[str, ...], effect: LastSaleEffect) -> None:
    assert last_sale_rule(tape, codes).effect == effect


@pytest.mark.parametrize(
    ("tape", "codes", "effect", "unknown"),
    [
        ("A", ("@", "W"), "sets", ("W",)),  # average price on tape C; on tapes A and B that is B
        ("C", ("E",), "sets", ("E",)),  # a placeholder without a rule
        ("C", ("8",), "sets", ("8",)),
        ("C", ("?", "I"), "never", ("?",)),
        ("C", ("",), "sets", ("",)),
        ("O", ("@", "I"), "never", ()),  # the same on both tapes
        ("", ("T",), "never", ()),
        ("O", ("B",), "sets", ("B",)),  # not the same on both tapes
        ("N", ("L",), "sets", ("L",)),
    ],
)
def test_an_unknown_condition_counts_as_a_sale_and_is_named(
    tape: str, codes: tuple[str, ...], effect: LastSaleEffect, unknown: tuple[str, ...]
) -> None:
    rule = last_sale_rule(tape, codes)
    assert (rule.effect, rule.unknown_codes) == (effect, unknown)


def test_only_tape_a_has_a_known_listing_venue() -> None:
    assert [last_sale_rule(tape, ()).listing_venue for tape in ("A", "B", "C")] == ["N", None, None]


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_a_trade_without_shares_is_no_sale_except_a_corrected_close(size: float) -> None:
    assert rule_of_trade("C", ("@",), size) == NO_SALE
    assert rule_of_trade("C", ("@", "9"), size).effect == "sets"


@pytest.mark.parametrize("size", [1.0, 0.0001, 1e18, float("inf")])
def test_any_number_of_shares_is_a_sale(size: float) -> None:
    assert rule_of_trade("", (), size) == REGULAR_SALE


def test_the_labels_of_the_metric_are_limited() -> None:
    assert metric_labels("A", "W") == ("A", "W")
    assert metric_labels("Z", "WW") == metric_labels("", "\u00e4") == metric_labels("AB", "\n") == ("other", "other")
