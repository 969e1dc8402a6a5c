"""The newest quote of each symbol, wherever it is: waiting to be written, held for a refresh, or in its document."""

from __future__ import annotations

from .coalescer import Coalescer
from .last_values import LastValues
from .published_documents import PublishedDocuments, QuoteContent


class NewestQuotes:
    """Finds quotes in the state that the stream and the writes keep anyway, so that no tick costs more."""

    def __init__(self, coalescer: Coalescer, documents: PublishedDocuments, last_values: LastValues) -> None:
        self._coalescer = coalescer
        self._documents = documents
        self._last_values = last_values

    def find_quote(self, symbol: str, at: float) -> QuoteContent | None:
        """Return the newest quote of a symbol with its price at `at`, in monotonic seconds; None if it is not known.

        While a quote is being sent to Firestore, this is the quote before it.
        """
        tick = self._coalescer.waiting_tick(symbol) or self._documents.newest_tick(symbol)
        if tick is None:
            return None
        quote, trade = tick.to_quote(), self._last_values.last_trade(symbol)
        price = self._documents.prices.price_of(quote, trade, at, is_halted=self._last_values.is_halted(symbol))
        return QuoteContent(quote=quote, price=price.value, price_basis=price.basis, trade=trade)

    def seconds_of_last_write(self, symbol: str) -> float | None:
        """Return when the document of a symbol was last written, in monotonic seconds; None if that is not known."""
        return self._documents.seconds_of_last_write(symbol)
