"""The entries of `spec.pausedSymbols` in the little memory that the operator needs for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from sluice_contract.spec import PausedSymbol

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[str, int | None]]).decode
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  subtracted from a time without its offset
_MICROSECOND: Final = timedelta(microseconds=1)


class PackedPausedSymbols(msgspec.Struct, frozen=True):
    """The paused symbols of a job, each with the end of its pause, without the reason.

    They are kept as one MessagePack value: 200 entries take 2 kB, and as structs with their reasons up to 230 kB.
    """

    packed: bytes = b""

    def symbols_in_force(self, now: datetime) -> frozenset[str]:
        """Return the symbols whose pause has no end, or an end after `now`."""
        if not self.packed:
            return frozenset()
        at = _microseconds_since_1970(now)
        return frozenset(symbol for symbol, until in _decode(self.packed) if until is None or until > at)


def pack_paused_symbols(entries: Iterable[PausedSymbol]) -> PackedPausedSymbols:
    """Return the entries without their reasons."""
    pairs = [(entry.symbol, _microseconds_since_1970(entry.until) if entry.until else None) for entry in entries]
    return PackedPausedSymbols(_encode(pairs)) if pairs else PackedPausedSymbols()


def _microseconds_since_1970(instant: datetime) -> int:
    """Return the time as a number. Its offset may put it before the year 1 or after 9999, where UTC has no datetime."""
    return (instant.replace(tzinfo=None) - _EPOCH - (instant.utcoffset() or timedelta())) // _MICROSECOND
