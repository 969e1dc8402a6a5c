"""The part of the status that counts the declared symbols: what the provider acknowledged, and how fresh they are."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .status_values import LARGEST, Count, Name, Sentence


class SymbolRejection(CamelStruct, frozen=True):
    """A symbol that the provider rejects."""

    symbol: Annotated[Name, Meta(description="The symbol.")]
    code: Annotated[int, Meta(ge=-LARGEST, le=LARGEST, description="The error code of the provider.")]
    message: Annotated[Sentence, Meta(description="Why the provider rejects the symbol.")]


class SymbolCounts(CamelStruct, frozen=True):
    """The number of declared symbols that the provider has confirmed, has rejected, or has not answered for yet."""

    live: Annotated[
        Name,
        Meta(
            description="Confirmed symbols received since the pod's process started, out of the desired symbols, such "
            "as 3/3 (column LIVE). 0 while the stream is closed. A snapshot does not count as received."
        ),
    ]
    desired: Annotated[Count, Meta(description="The number of symbols to stream now: declared and not paused.")]
    confirmed: Annotated[Count, Meta(description="The number of symbols that the provider acknowledged.")]
    pending: Annotated[Count, Meta(description="The number of requested symbols that are not yet acknowledged.")]
    paused: Annotated[Count, Meta(description="The number of declared symbols that are paused.")]
    rejected: Annotated[Count, Meta(description="The number of symbols that the provider rejected.")]
    rejections: Annotated[list[SymbolRejection], Meta(description="The first 20 rejected symbols.", max_length=20)] = []  # noqa: RUF012
    unknown_paused_symbols: Annotated[
        list[Name],
        Meta(description="The first 20 entries of pausedSymbols that are not in symbols.", max_length=20),
    ] = []  # noqa: RUF012
    stale_symbols: Annotated[
        list[Name], Meta(description="The first 20 symbols that freshness counts as stale.", max_length=20)
    ] = []  # noqa: RUF012
    halted_symbols: Annotated[
        list[Name], Meta(description="The first 20 symbols whose trading is halted.", max_length=20)
    ] = []  # noqa: RUF012
    paused_symbols: Annotated[
        list[Name],
        Meta(description="The first 20 declared symbols that the spec's pausedSymbols pauses now.", max_length=20),
    ] = []  # noqa: RUF012
    unheard_symbols: Annotated[
        list[Name],
        Meta(description="The first 20 symbols that freshness counts as unheard.", max_length=20),
    ] = []  # noqa: RUF012
    never_ticked: Annotated[
        Count, Meta(description="The number of symbols that were unheard during an hour of open market.")
    ] = 0
    never_ticked_symbols: Annotated[
        list[Name],
        Meta(description="The first 20 symbols that were unheard during an hour of open market.", max_length=20),
    ] = []  # noqa: RUF012


class FreshnessCounts(CamelStruct, frozen=True):
    """The number of declared symbols in each freshness state.

    A symbol without a confirmed subscription is counted only if it is paused.
    """

    live: Annotated[
        Count, Meta(description="Symbols that ticked within the last 15 s, or within three effective intervals.")
    ]
    quiet: Annotated[
        Count,
        Meta(description="Symbols without recent ticks and without a fault: illiquid, or of unknown market hours."),
    ]
    stale: Annotated[
        Count,
        Meta(description="Liquid symbols that are silent for far longer than normal while their market is open."),
    ]
    closed: Annotated[Count, Meta(description="Symbols that have not ticked lately because their market is closed.")]
    halted: Annotated[Count, Meta(description="Symbols whose trading is halted.")]
    paused: Annotated[Count, Meta(description="Symbols that are paused, by pausedSymbols or with the whole job.")]
    unheard: Annotated[
        Count,
        Meta(description="Symbols that the provider confirmed and for which nothing has arrived since the start."),
    ] = 0
