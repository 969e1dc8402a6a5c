"""The protocol with an IBKR gateway: looks up contracts of symbols, subscribes to them and builds quotes from ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ib_async import Contract, ContractDetails, Stock, Ticker

from sluice_contract.spec import Channel
from sluice_contract.symbol_counts import SymbolRejection

from ...domain.batches import batches
from ...domain.failure import StreamError
from ...domain.market import Quote
from ...ports import QUOTES, Listener
from .gateway import Gateway
from .market_data_builder import MarketDataBuilder, MarketDataChanges
from .messages import (
    COMPETING_SESSION,
    DELAYED,
    DELAYED_TEXT,
    NO_LINE,
    UNKNOWN_SYMBOL,
    IBKRTimeouts,
    delayed_data_error,
    is_delayed,
    is_refusal_code,
    no_answer_error,
    symbol_rejection,
)

# ib_async sends 45 requests per second and delays the others.
_BATCH = 40


class IBKRConnection:
    """One open connection to a gateway. Refusals and ticks can arrive at any time, not only after a request.

    IBKR does not confirm subscriptions. A symbol counts as confirmed when its contract is known, it has been requested,
    and no refusal has arrived.
    """

    def __init__(self, gateway: Gateway, listener: Listener, timeouts: IBKRTimeouts) -> None:
        self._gateway = gateway
        self._client = gateway.client
        self._listener = listener
        self._timeouts = timeouts
        self._wanted: frozenset[str] = frozenset()
        self._with_trades = False
        self._contracts: dict[str, Contract] = {}  # known contracts, with their conId
        self._symbols: dict[int, str] = {}  # by the id() of each requested contract
        self._asked: dict[str, asyncio.Future[list[ContractDetails]]] = {}
        self._tickers: dict[str, Ticker] = {}
        self._builders: dict[Ticker, MarketDataBuilder] = {}
        self._rejected: dict[str, SymbolRejection] = {}
        self._busy = asyncio.Lock()
        self._retried_at = asyncio.get_running_loop().time()
        self._client.pendingTickersEvent += self._on_pending_tickers
        gateway.on_refusal = self._on_refusal
        gateway.on_worse_outage = self._report_impairment
        self._report_impairment()

    async def set_subscriptions(self, symbols: frozenset[str], channels: frozenset[Channel] = QUOTES) -> None:
        """Request missing symbols and cancel unwanted ones. Waits while the gateway has no connection to IBKR."""
        async with self._busy:
            await self._gateway.reachable.wait()
            gone = self._tickers.keys() - symbols
            self._wanted, self._with_trades = symbols, "trades" in channels
            self._rejected = {
                symbol: each
                for symbol, each in self._rejected.items()
                if symbol in symbols and not (gone and each.code == NO_LINE)
            }
            with self._raise_reason_of_loss():
                await self._unsubscribe_symbols(sorted(gone))
                await self._subscribe_symbols(sorted(symbols - self._tickers.keys() - self._rejected.keys()))
            self._report_subscriptions()

    async def run(self) -> None:
        """Supervise the connection until it ends, and then raise the StreamError. ib_async itself reads the socket."""
        while self._gateway.end_reason is None:
            try:
                async with asyncio.timeout(self._timeouts.probe):
                    await self._gateway.attention_needed.wait()
            except TimeoutError:
                await self._probe_gateway_and_retry_symbols()
                continue
            self._gateway.attention_needed.clear()
            if self._gateway.end_reason is None:
                await self._resubscribe_all()
        raise self._gateway.end_reason

    async def deliver_arrived_data(self) -> None:
        """Do nothing: ib_async reads without pauses."""

    def start_closing(self) -> None:
        self._gateway.start_closing()

    async def _probe_gateway_and_retry_symbols(self) -> None:
        """Check that the gateway answers.

        Symbols rejected because of a competing session are requested again every `IBKRTimeouts.retry` seconds.
        """
        if self._gateway.outages.is_lost:
            return
        self._reject_symbols_with_delayed_data()
        with self._raise_reason_of_loss():
            try:
                async with asyncio.timeout(self._timeouts.answer):
                    await self._client.reqCurrentTimeAsync()
            except TimeoutError:
                raise self._silence_error() from None
        now = asyncio.get_running_loop().time()
        if now - self._retried_at >= self._timeouts.retry:
            self._retried_at = now
            async with self._busy:
                with self._raise_reason_of_loss():
                    competing = [s for s, each in self._rejected.items() if each.code == COMPETING_SESSION]
                    await self._unsubscribe_symbols(competing)
                    await self._subscribe_symbols(competing)

    async def _resubscribe_all(self) -> None:
        """Request all symbols again, with new request IDs.

        This is necessary even if IBKR reports that no data was lost: subscriptions have been found dead after each kind
        of restoration, and a new subscription starts with the current quote.
        """
        await asyncio.sleep(self._timeouts.settle)
        self._gateway.attention_needed.clear()
        async with self._busy:
            await self._gateway.reachable.wait()
            self._rejected.clear()
            with self._raise_reason_of_loss():
                for batch in batches(sorted(self._wanted), _BATCH):
                    await self._unsubscribe_symbols([symbol for symbol in batch if symbol in self._tickers])
                    await self._subscribe_symbols(batch)
            self._report_subscriptions()
        self._listener.on_impairment(self._gateway.outages.impairment)

    async def _subscribe_symbols(self, symbols: Sequence[str]) -> None:
        for batch in batches(symbols, _BATCH):
            await self._gateway.unthrottled.wait()
            try:
                async with asyncio.timeout(self._timeouts.answer):
                    found = await asyncio.gather(*map(self._find_contract_or_reject, batch))
            except TimeoutError:
                raise self._silence_error() from None
            for symbol, contract in zip(batch, found, strict=True):
                if contract is not None:
                    self._request_market_data(symbol, contract)

    async def _find_contract_or_reject(self, symbol: str) -> Contract | None:
        """Return the contract of a symbol. If there is not exactly one, reject the symbol and return None."""
        if symbol in self._contracts:
            return self._contracts[symbol]
        asked = Stock(symbol.replace(".", " "), "SMART", "USD")
        self._symbols[id(asked)] = symbol
        try:
            self._asked[symbol] = answer = asyncio.ensure_future(self._client.reqContractDetailsAsync(asked))
            found = [each.contract for each in await answer if each.contract is not None]
        finally:
            del self._symbols[id(asked)]
            self._asked.pop(symbol, None)
        stocks = [each for each in found if each.secType == "STK" and each.currency == "USD"]
        if len(stocks) != 1:
            words = f"{len(stocks)} contracts have this symbol"
            self._rejected.setdefault(symbol, symbol_rejection(symbol, UNKNOWN_SYMBOL, words))
            return None
        [contract] = stocks
        contract.exchange = "SMART"  # the details can name another exchange
        self._contracts[symbol] = contract
        return contract

    def _request_market_data(self, symbol: str, contract: Contract) -> None:
        self._symbols[id(contract)] = symbol
        self._tickers[symbol] = ticker = self._client.reqMktData(contract)
        self._builders[ticker] = MarketDataBuilder(symbol)

    async def _unsubscribe_symbols(self, symbols: Sequence[str]) -> None:
        for batch in batches(symbols, _BATCH):
            await self._gateway.unthrottled.wait()
            for symbol in batch:
                self._cancel_market_data(symbol)

    def _cancel_market_data(self, symbol: str) -> None:
        ticker = self._tickers.pop(symbol, None)
        if ticker is not None:
            del self._builders[ticker]
            self._client.cancelMktData(self._contracts[symbol])

    def _on_refusal(self, contract: Contract, code: int, words: str) -> None:
        symbol = self._symbols.get(id(contract))
        if symbol is None or not is_refusal_code(code):
            return
        self._rejected[symbol] = symbol_rejection(symbol, code, words)
        answer = self._asked.get(symbol)
        if answer is not None and not answer.done():
            answer.set_result([])  # ib_async treats some refusals as warnings and continues to wait
        self._cancel_market_data(symbol)
        self._report_subscriptions()
        if code == DELAYED:
            self._end_connection_if_all_data_is_delayed()

    def _on_pending_tickers(self, tickers: Iterable[Ticker]) -> None:
        self._reject_symbols_with_delayed_data()
        changes = self._apply_ticks(tickers)
        trades = [each.trade for each in changes if each.trade is not None]
        halts = [each.halt for each in changes if each.halt is not None]
        quotes = [each.quote for each in changes if each.quote is not None]
        if trades and self._with_trades:
            self._listener.on_trades(trades)
        if halts:
            self._listener.on_halts(halts)
        self._end_rejections_of_quoted_symbols(quotes)
        if quotes:
            self._listener.on_ticks(quotes)

    def _reject_symbols_with_delayed_data(self) -> None:
        """Reject each symbol of which IBKR sends delayed data, because these ticks must not pass for live ones."""
        delayed = [symbol for symbol, ticker in self._tickers.items() if is_delayed(ticker.marketDataType)]
        for symbol in delayed:
            self._rejected[symbol] = symbol_rejection(symbol, DELAYED, DELAYED_TEXT)
            self._cancel_market_data(symbol)
        if delayed:
            self._report_subscriptions()
            self._end_connection_if_all_data_is_delayed()

    def _end_connection_if_all_data_is_delayed(self) -> None:
        """End the connection if the login gets only delayed data. Otherwise, it would be live without a document."""
        delayed = {symbol for symbol, each in self._rejected.items() if each.code == DELAYED}
        if delayed and self._wanted <= self._rejected.keys():
            self._gateway.end_connection(delayed_data_error(delayed))

    def _apply_ticks(self, tickers: Iterable[Ticker]) -> list[MarketDataChanges]:
        """Apply ticks to the quote builders and return the changes. A ticker without time or builder is ignored."""
        changes: list[MarketDataChanges] = []
        for ticker in tickers:
            builder = self._builders.get(ticker)
            if builder is not None and ticker.time is not None:
                changes.append(builder.apply_ticks(ticker.ticks, ticker.time))
        return changes

    def _end_rejections_of_quoted_symbols(self, quotes: Sequence[Quote]) -> None:
        """End the rejection of each symbol that has a quote with a price, because IBKR no longer rejects it."""
        quoted = [each.symbol for each in quotes if each.bid or each.ask]
        no_longer_rejected = [symbol for symbol in quoted if symbol in self._rejected]
        for symbol in no_longer_rejected:
            del self._rejected[symbol]
        if no_longer_rejected:
            self._report_subscriptions()

    def _report_subscriptions(self) -> None:
        confirmed = frozenset(self._tickers.keys() - self._rejected.keys())
        self._listener.on_acknowledgement(confirmed, tuple(self._rejected.values()))

    def _report_impairment(self) -> None:
        impairment = self._gateway.outages.impairment
        if impairment is not None:
            self._listener.on_impairment(impairment)

    def _silence_error(self) -> StreamError:
        return self._gateway.end_reason or no_answer_error(self._gateway.settings, self._timeouts.answer)

    @contextmanager
    def _raise_reason_of_loss(self) -> Iterator[None]:
        """If a request fails because the connection is lost, raise the reason of the loss instead."""
        try:
            yield
        except ConnectionError:
            raise self._gateway.lost_connection_error() from None
