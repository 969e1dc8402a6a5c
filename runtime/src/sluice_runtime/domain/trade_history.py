"""The last trades of one symbol, and which of them sets the price when others are canceled or corrected."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from .market import TradeCancellation, TradeCorrection, TradeTick, is_valid_price
from .sale_conditions import LastSaleRule

HELD_TRADES = 20
# Between 5 and 8 in the morning (UTC) no US exchange trades, neither in summer nor in winter. So a trading day lasts
# from 5 to 5, and overnight trades belong to the day on which their session began.
_DAY_BEGINS = timedelta(hours=5)


_VENUES: dict[str, str] = {}  # one text for each venue, so that a held trade does not need its own
_VENUES_KEPT = 100


class HeldTrade(msgspec.Struct, frozen=True, gc=False):
    """A trade as far as it is needed to set the price and to find it again.

    It is smaller than a provider's message: to hold the messages instead would cost throughput and memory.
    """

    ts: datetime
    price: float
    id: int | None
    exchange: str
    rule: LastSaleRule


class _Revocation(msgspec.Struct, frozen=True):
    """A cancellation, or a correction with its replacement, of a trade that may still arrive."""

    ts: datetime | None
    id: int
    exchange: str
    price: float | None
    replacement: TradeCorrection | None = None


class TradeHistory:
    """Holds the last 20 trades of a symbol that can set its price, in the order of arrival.

    Of two trades, the one with the later event time is the last one; of two with the same time, the later arrival.
    """

    __slots__ = ("_counted", "_has_provisional_last", "_newest_unconfirmed_at", "_revocations", "last")

    def __init__(self) -> None:
        self.last: HeldTrade | None = None  # the trade that sets the price
        self._has_provisional_last = False  # whether it counts only as long as no other trade of its day does
        self._counted: deque[HeldTrade] = deque(maxlen=HELD_TRADES)
        self._revocations: deque[_Revocation] = deque(maxlen=HELD_TRADES)
        self._newest_unconfirmed_at: datetime | None = None

    def add(self, trade: TradeTick, rule: LastSaleRule, horizon: datetime) -> None:
        """Add a trade. Any other trade replaces one that is later than `horizon`, because its timestamp is wrong."""
        if rule.effect == "never":
            return
        held = HeldTrade(trade.ts, trade.price, trade.id, _shared_text(trade.exchange), rule)
        if self._revocations:
            if (valid := self._unless_revoked(held)) is None or valid.rule.effect == "never":
                return
            held = valid
        self._counted.append(held)
        # Hot path: most trades are regular sales in order.
        last = self.last
        if last is not None and held.rule.effect == "sets" and last.ts <= held.ts:
            self.last, self._has_provisional_last = held, False
        else:
            self._take_over(held, horizon)

    def cancel(self, cancellation: TradeCancellation, horizon: datetime) -> None:
        """Remove a trade. If it is not held, it is not added when it arrives later."""
        known = cancellation.id, cancellation.exchange, cancellation.price
        self._remove(*known)
        self._revocations.append(_Revocation(cancellation.ts, *known))
        if self.last is not None and _is_trade(self.last, *known):
            self._find_last(horizon)

    def correct(self, correction: TradeCorrection, horizon: datetime) -> None:
        """Replace a trade. The corrected trade has the place and the event time of the original.

        If the original is not held, it is replaced when it arrives later. A trade that could not set the price is not
        held, so it does not set it after a correction either.
        """
        known = correction.original_id, correction.exchange, correction.original_price
        index = _index_of(self._counted, *known)
        original = self._remove(*known)
        replacement = None if original is not None else correction
        self._revocations.append(_Revocation(correction.ts, *known, replacement))
        if original is None:
            return
        corrected = _corrected_trade(original, correction)
        if corrected is not None and corrected.rule.effect != "never":
            self._counted.insert(index or 0, corrected)
        self._find_last(horizon)

    def mark_unconfirmed(self) -> None:
        """Note that the connection has closed: cancellations of the trades held so far may be missed."""
        self._newest_unconfirmed_at = max((each.ts for each in self._counted), default=None)

    def apply_snapshot(self, trade: TradeTick, rule: LastSaleRule, horizon: datetime) -> None:
        """Apply the newest trade that the provider knows, requested after the connection was made.

        Trades from before the connection that are newer no longer exist at the provider: they have been canceled.
        """
        if self._newest_unconfirmed_at is not None:
            limit = self._newest_unconfirmed_at
            kept = [each for each in self._counted if not trade.ts < each.ts <= limit]
            if len(kept) < len(self._counted):
                self._counted = deque(kept, HELD_TRADES)
                self._find_last(horizon)
        if self.last is None or self.last.ts < trade.ts:
            self.add(trade, rule, horizon)

    def _unless_revoked(self, held: HeldTrade) -> HeldTrade | None:
        """Return the trade, or its correction if that arrived earlier; None if the trade was canceled earlier.

        A trade after its cancellation is another trade: venues use their ids again on another day.
        """
        for index, each in enumerate(self._revocations):
            if each.ts is not None and held.ts <= each.ts and _is_trade(held, each.id, each.exchange, each.price):
                if each.replacement is None:
                    return None
                self._revocations[index] = msgspec.structs.replace(each, replacement=None)
                return _corrected_trade(held, each.replacement)
        return held

    def _remove(self, trade_id: int, exchange: str, price: float | None) -> HeldTrade | None:
        """Remove the newest trade that matches, and its duplicates; return it, or None if there is none."""
        index = _index_of(self._counted, trade_id, exchange, price)
        if index is None:
            return None
        found = self._counted[index]
        self._counted = deque((each for each in self._counted if each != found), HELD_TRADES)
        return found

    def _find_last(self, horizon: datetime) -> None:
        self.last = None
        for each in self._counted:
            self._take_over(each, horizon)

    def _take_over(self, trade: HeldTrade, horizon: datetime) -> None:
        """Make `trade`, which can set the price, the last one, if it is by its time and conditions."""
        if self._is_last(trade, horizon):
            self.last, self._has_provisional_last = trade, trade.rule.effect == "first_of_day"

    def _is_last(self, trade: HeldTrade, horizon: datetime) -> bool:
        last, rule = self.last, trade.rule
        if last is None or last.ts > horizon:
            return True
        if rule.effect == "first_of_day":
            return _trading_day(trade.ts) > _trading_day(last.ts)
        if self._has_provisional_last and _trading_day(trade.ts) == _trading_day(last.ts):
            return True
        if rule.effect == "same_venue" and trade.exchange not in (last.exchange, rule.listing_venue):
            return False
        return last.ts <= trade.ts


def _trading_day(ts: datetime) -> date:
    return (ts.astimezone(UTC) - _DAY_BEGINS).date()


def _shared_text(venue: str) -> str:
    """Return an equal text that all trades of this venue share."""
    return _VENUES.setdefault(venue, venue) if len(_VENUES) < _VENUES_KEPT else _VENUES.get(venue, venue)


def _corrected_trade(original: HeldTrade, correction: TradeCorrection) -> HeldTrade | None:
    """Return the trade after its correction; None if the correction has no valid price."""
    if not is_valid_price(correction.price):
        return None
    return HeldTrade(original.ts, correction.price, correction.id, original.exchange, correction.rule)


def _index_of(trades: Sequence[HeldTrade], trade_id: int, exchange: str, price: float | None) -> int | None:
    """Return the index of the newest trade that matches; None if there is none."""
    for index in range(len(trades) - 1, -1, -1):
        if _is_trade(trades[index], trade_id, exchange, price):
            return index
    return None


def _is_trade(trade: HeldTrade, trade_id: int, exchange: str, price: float | None) -> bool:
    """Return True if this is the trade. Ids are unique only within a venue and a day, so the price must match too."""
    return trade.id == trade_id and trade.exchange == exchange and (price is None or trade.price == price)
