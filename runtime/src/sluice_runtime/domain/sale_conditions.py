"""Which trades set the last price of a US stock: the sale conditions of both consolidated tapes.

CTA publishes tapes A and B, UTP publishes tape C. The tables have the column "Consolidated, Update Last" of:

* CTA: CTS Pillar Multicast Output Binary Specification, version 2.11b of 2026-01-29, field "Sale Condition", with its
  notes 2 (here first_of_day) and 3 (same_venue)
* UTP: UTP Data Feed Services Specification, version 4.1 of September 2026, section 3.14.2 "UTP Sale Condition Matrix",
  with its footnote 1 (first_of_day)

On 2026-11-28 both were compared with two vendors' copies: dxFeed's "TimeAndSale Sale Conditions" agrees in every cell;
an older copy of dxFeed lets O (opening trade) of CTA set the last price only once for each participant, and Polygon's
older glossary makes R (seller) of UTP conditional. The tables follow the specifications.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

# sets: the trade sets the last price. same_venue: only if it is from the venue of the current last trade or from the
# listing venue. first_of_day: only if no other trade of that day has set it. never: it does not set it.
LastSaleEffect = Literal["sets", "same_venue", "first_of_day", "never"]

CTA: Mapping[str, LastSaleEffect] = {
    " ": "sets",  # regular sale
    "@": "sets",  # regular sale, as Alpaca writes it
    "B": "never",  # average price trade
    "C": "never",  # cash trade
    "E": "sets",  # automatic execution
    "F": "sets",  # intermarket sweep order
    "H": "never",  # price variation trade
    "I": "never",  # odd lot
    "K": "sets",  # rule 127 or 155
    "L": "same_venue",  # sold last, reported late
    "M": "never",  # market center official close
    "N": "never",  # reserved, formerly next day trade
    "O": "sets",  # market center opening trade
    "P": "first_of_day",  # prior reference price
    "Q": "never",  # market center official open
    "R": "never",  # seller
    "T": "never",  # extended hours trade
    "U": "never",  # extended hours trade, sold out of sequence
    "V": "never",  # contingent trade
    "X": "sets",  # cross or periodic auction trade
    "Z": "first_of_day",  # sold out of sequence
    "4": "first_of_day",  # derivatively priced
    "5": "sets",  # market center reopening trade
    "6": "sets",  # market center closing trade
    "7": "never",  # qualified contingent trade
    "8": "never",  # reserved
    "9": "sets",  # corrected consolidated close
}

# E and 8 are placeholders, whose effect the specification leaves open.
UTP: Mapping[str, LastSaleEffect] = {
    " ": "sets",  # no condition
    "@": "sets",  # regular sale
    "A": "sets",  # acquisition
    "B": "sets",  # bunched trade
    "C": "never",  # cash sale
    "D": "sets",  # distribution
    "F": "sets",  # intermarket sweep
    "G": "first_of_day",  # bunched sold trade
    "H": "never",  # price variation trade
    "I": "never",  # odd lot
    "K": "sets",  # rule 155
    "L": "sets",  # sold last; UTP ends this at 16:00:10 by a message that vendors do not pass on
    "M": "never",  # market center official close
    "N": "never",  # reserved, formerly next day trade
    "O": "sets",  # opening print
    "P": "first_of_day",  # prior reference price
    "Q": "never",  # market center official open
    "R": "never",  # seller
    "S": "sets",  # split trade
    "T": "never",  # form T: extended hours trade
    "U": "never",  # extended hours trade, sold out of sequence
    "V": "never",  # contingent trade
    "W": "never",  # average price trade
    "X": "sets",  # cross or periodic auction trade
    "Y": "sets",  # yellow flag regular trade
    "Z": "first_of_day",  # sold out of sequence
    "1": "sets",  # stopped stock, regular trade
    "4": "first_of_day",  # derivatively priced
    "5": "sets",  # reopening print
    "6": "sets",  # closing print
    "7": "never",  # qualified contingent trade
    "9": "sets",  # corrected consolidated close
}

_ON_BOTH: Mapping[str, LastSaleEffect] = {code: CTA[code] for code in CTA.keys() & UTP.keys() if CTA[code] == UTP[code]}
_TABLES: Mapping[str, Mapping[str, LastSaleEffect]] = {"A": CTA, "B": CTA, "C": UTP}
# Tape A has the stocks that are listed at NYSE. The listing venues of the other tapes are not part of a trade.
_LISTING_VENUES: Mapping[str, str] = {"A": "N"}
_STRICTEST_FIRST: tuple[LastSaleEffect, ...] = ("never", "first_of_day", "same_venue")

# A trade without shares, such as an official closing price, changes no hands. This condition is the exception.
_CORRECTED_CLOSE = "9"


class LastSaleRule(msgspec.Struct, frozen=True):
    """What the conditions of a trade together mean for the last price: the effect of the strictest condition.

    `unknown_codes` are those that the table of `tape` does not have. They count as a regular sale.
    """

    effect: LastSaleEffect
    tape: str = ""
    listing_venue: str | None = None
    unknown_codes: tuple[str, ...] = ()


REGULAR_SALE = LastSaleRule("sets")
NO_SALE = LastSaleRule("never")


def last_sale_rule(tape: str, codes: tuple[str, ...]) -> LastSaleRule:
    """Return the rule for a trade with these condition codes on tape A, B or C.

    On any other tape, the codes that mean the same on both are known. A trade without codes is a regular sale.
    """
    table = _TABLES.get(tape, _ON_BOTH)
    effects = {table[code] for code in codes if code in table}
    return LastSaleRule(
        effect=next((effect for effect in _STRICTEST_FIRST if effect in effects), "sets"),
        tape=tape,
        listing_venue=_LISTING_VENUES.get(tape),
        unknown_codes=tuple(code for code in codes if code not in table),
    )


def rule_of_trade(tape: str, codes: tuple[str, ...], size: float) -> LastSaleRule:
    """Return the rule for a trade of `size` shares. A trade without shares is no sale, except a corrected close."""
    return last_sale_rule(tape, codes) if size > 0 or _CORRECTED_CLOSE in codes else NO_SALE


def metric_labels(tape: str, code: str) -> tuple[str, str]:
    """Return tape and code as the labels of a metric. Their number is limited: others than expected are `other`."""
    is_code = len(code) == 1 and code.isascii() and code.isprintable()
    return (tape if tape in _TABLES else "other"), (code if is_code else "other")
