"""The sale conditions of a trade as Alpaca sends them, and the rule that they mean, without a computation per trade."""

from __future__ import annotations

import msgspec

from ...domain.sale_conditions import LastSaleRule, rule_of_trade

# Limits on what unexpected texts can occupy. About a hundred combinations of codes are usual.
_RULES_KEPT = 1000
_TAPES_KEPT = 10


class SaleConditions(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The codes of one trade, from an array.

    The tapes allow at most four, one of each category. A seventh and further ones are ignored. This is not a tuple,
    because Python's garbage collector examines tuples.
    """

    first: str = ""
    second: str = ""
    third: str = ""
    fourth: str = ""
    fifth: str = ""
    sixth: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that are there."""
        return tuple(code for code in msgspec.structs.astuple(self) if code)


class _RulesOfTape(dict[SaleConditions | None, LastSaleRule]):
    """The rules of one tape by sale conditions, each determined when it is first needed."""

    def __init__(self, tape: str) -> None:
        super().__init__()
        self._tape = tape

    def __missing__(self, conditions: SaleConditions | None) -> LastSaleRule:
        rule = rule_of_trade(self._tape, conditions.codes if conditions is not None else (), 1.0)
        if len(self) < _RULES_KEPT:
            self[conditions] = rule
        return rule


class _Rules(dict[str, _RulesOfTape]):
    """The rules by tape."""

    def __missing__(self, tape: str) -> _RulesOfTape:
        rules = _RulesOfTape(tape)
        if len(self) < _TAPES_KEPT:
            self[tape] = rules
        return rules


# The rule of a trade with shares: RULES[tape][conditions]
RULES = _Rules()


def rule_of_conditions(tape: str, conditions: SaleConditions | None, size: float) -> LastSaleRule:
    """Return the rule for a trade of `size` shares. Crypto pairs have no conditions and no tape."""
    if size > 0:
        return RULES[tape][conditions]
    return rule_of_trade(tape, conditions.codes if conditions is not None else (), size)
