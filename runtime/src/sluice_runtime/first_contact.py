"""`sluice-runtime first-contact`: checks with a user's own keys, against the real services.

The tests of this repository use simulators. This command uses the same adapters with the provider's test stream,
Google's identity, and a real Firestore project.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from sluice_contract.documents import LiveQuote, live_quote_path
from sluice_contract.resource import IngestJob
from sluice_contract.spec import FirestoreSettings
from sluice_contract.status import StreamState
from sluice_contract.symbol_counts import SymbolRejection

from .aio.waiting import run_until_first_completes
from .domain.clock_skew import ClockReading
from .domain.failure import Impairment, SinkError, StreamError, UnusableVariableError
from .domain.market import Bar, Halt, Quote, Tick, TradeEvent
from .domain.preflight import Finding
from .ports import Source
from .providers.provider import AlwaysOpenStream, Provider
from .providers.registry import ENVIRONMENT_PROVIDER, load_provider
from .settings import SettingsError, first_set_variable
from .sinks.firestore.connection import FirestoreConnection, open_firestore_connection
from .sinks.firestore.credentials import EMULATOR_VARIABLE, emulator_address
from .sinks.firestore.identity import check_google_identity
from .sinks.firestore.sink import FirestoreSink
from .standalone_settings import PROJECT, TENANT

CHECKS = ("stream", "identity", "firestore")
COLLECTION = "first_contact"
_JOB = "sluice/first-contact"  # the writer's name in the document
_DEFAULT_TENANT = "first-contact"
_ATTEMPTS, _SECONDS_BETWEEN_ATTEMPTS = 3, 1.0  # the first request also waits for the connection and a token

Say = Callable[[str], None]
T = TypeVar("T")


class FirstContact(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks use. `environment` has the credentials, and `stream_url` is None for the provider's own server.

    `quote_seconds` is how long the stream is given to send a quote.
    """

    environment: Mapping[str, str]
    tenant: str
    firestore: FirestoreSettings
    stream_url: str | None = None
    quote_seconds: float = 30.0


def first_contact_settings(environment: Mapping[str, str], job: IngestJob | None = None) -> FirstContact:
    """Return the settings from the environment; tenant and Firestore's settings from `job`, if it is not None."""
    return FirstContact(
        environment=environment,
        tenant=job.spec.tenant if job else first_set_variable(environment, TENANT) or _DEFAULT_TENANT,
        firestore=_with_project(job.spec.firestore if job else FirestoreSettings(), environment),
    )


def _provider_and_stream() -> tuple[Provider, AlwaysOpenStream]:
    provider = load_provider(ENVIRONMENT_PROVIDER)
    assert provider.always_open_stream is not None  # noqa: S101  a test of the registry checks this
    return provider, provider.always_open_stream


def run_first_contact(settings: FirstContact, checks: Sequence[str], say: Say) -> int:
    """Run `checks`, or all checks if there are none, and print each result when it is known. Return the exit code.

    The code is 0 if all checks pass, otherwise 1.
    """
    try:
        findings = asyncio.run(_run_checks(settings, [each for each in CHECKS if each in checks or not checks], say))
    except KeyboardInterrupt:
        say("FAIL: interrupted")
        return 1
    failed = sum(not each.good for each in findings)
    say(f"FAIL: {failed} of {len(findings)} checks" if failed else f"PASS: {len(findings)} of {len(findings)} checks")
    return 1 if failed else 0


async def _run_checks(settings: FirstContact, checks: Sequence[str], say: Say) -> list[Finding]:
    findings: list[Finding] = []
    quote: Quote | None = None
    for check in checks:
        match check:
            case "stream":
                found, quote = await check_test_stream(settings)
            case "identity":
                found = await check_google_identity()
            case _:
                found = await check_firestore(settings, quote)
        say(f"{'PASS' if found.good else 'FAIL'} {found}")
        findings.append(found)
    return findings


async def check_test_stream(settings: FirstContact) -> tuple[Finding, Quote | None]:
    """Log in to the provider's test stream, and wait for a quote. Return the finding and the quote.

    Never raises: an error becomes a finding.
    """
    provider, stream = _provider_and_stream()
    began = time.monotonic()
    try:
        source = stream.create_source(settings.environment, settings.stream_url)
        listener = _FirstQuoteListener(stream.symbol, f"{provider.title}'s status page")
        quote = await _first_quote(source, listener, settings.quote_seconds)
    except SettingsError as error:
        return Finding("stream", False, str(error)), None
    except StreamError as error:
        more = "; check the network, the firewall and the variables of the proxy" if error.kind == "network" else ""
        return Finding("stream", False, f"{error.message}{more}"), None
    seconds = time.monotonic() - began
    prices = f"bid {quote.bid}, ask {quote.ask}"
    words = f"a quote of {stream.symbol} arrived {seconds:.1f} s after the start: {prices}"
    return Finding("stream", True, words), quote


async def check_firestore(settings: FirstContact, quote: Quote | None) -> Finding:
    """Write a quote document, read it, and delete it. Without `quote`, the document has no prices.

    Never raises: an error becomes a finding.
    """
    project = settings.firestore.project_id or ""
    try:
        connection = await open_firestore_connection(settings.firestore, project, None)
    except UnusableVariableError as error:
        return Finding("firestore", False, str(error))
    except ValueError as error:
        remedy = "see the check identity" if project else f"set {PROJECT[0]}, and see the check identity"
        return Finding("firestore", False, f"{error}; {remedy}")
    try:
        return await _write_read_and_delete(connection, settings.tenant, _document(quote))
    finally:
        await connection.close()


async def _write_read_and_delete(connection: FirestoreConnection, tenant: str, document: LiveQuote) -> Finding:
    symbol = document.symbol
    path = live_quote_path(tenant, COLLECTION, symbol)
    sink = FirestoreSink(connection, tenant, COLLECTION, COLLECTION, _JOB)
    where = f"{path} in {connection.database}{_emulator_text()}"
    began = time.monotonic()
    try:
        await _retry(lambda: sink.write_quotes([document]))
        written_after = time.monotonic() - began
        times = await _retry(lambda: sink.quote_document_times([symbol]))
    except SinkError as error:
        await _delete_if_possible(sink, symbol)
        return Finding("firestore", False, f"{where}: {_with_remedy(error)}")
    except BaseException:  # such as an interruption
        await _delete_if_possible(sink, symbol)
        raise
    try:
        await _retry(lambda: sink.delete_own_quotes_and_bars([symbol]))
    except SinkError as error:
        return Finding("firestore", False, f"{where} was written, but not deleted: {_with_remedy(error)}; delete it")
    if times.get(symbol) != document.ts:
        return Finding("firestore", False, f"{where} has another time than was written; another program writes it")
    return Finding("firestore", True, f"{where} was written in {written_after:.2f} s, read and deleted")


async def _delete_if_possible(sink: FirestoreSink, symbol: str) -> None:
    with suppress(SinkError):  # the write itself has failed, and that is reported
        await sink.delete_own_quotes_and_bars([symbol])


async def _first_quote(source: Source, listener: _FirstQuoteListener, seconds: float) -> Quote:
    """Connect, and return the first quote of the listener's symbol.

    Raises:
        StreamError: the connection failed, or no quote came within `seconds`.
    """
    symbol = listener.symbol
    async with source.connect(listener) as connection:

        async def subscribe_and_wait() -> None:
            await connection.set_subscriptions(frozenset({symbol}))
            if listener.rejection is not None:
                raise StreamError("configuration", f"the stream rejects {symbol}: {listener.rejection.message}")
            await listener.arrived.wait()

        try:
            async with asyncio.timeout(seconds):
                await run_until_first_completes(subscribe_and_wait(), connection.run())
        except TimeoutError:
            sentence = f"the login succeeded, but no quote of {symbol} arrived within {seconds:g} s"
            raise StreamError("stall", f"{sentence}; try again later, and see {listener.status_page}") from None
    if listener.quote is None:
        raise StreamError("upstreamClosed", f"the stream ended before a quote of {symbol} arrived; try again")
    return listener.quote


class _FirstQuoteListener:
    """A Listener that keeps the first quote of `symbol`, and a rejection of the subscription."""

    def __init__(self, symbol: str, status_page: str) -> None:
        self.symbol = symbol
        self.status_page = status_page
        self.arrived = asyncio.Event()
        self.quote: Quote | None = None
        self.rejection: SymbolRejection | None = None

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        if self.quote is None and (found := [tick for tick in ticks if tick.symbol == self.symbol]):
            self.quote = found[0].to_quote()
            self.arrived.set()

    def on_acknowledgement(self, _confirmed: frozenset[str], rejected: Sequence[SymbolRejection]) -> None:
        self.rejection = next(iter(rejected), None)

    def on_state(self, _state: StreamState) -> None: ...

    def on_trades(self, _events: Sequence[TradeEvent]) -> None: ...

    def on_halts(self, _halts: Sequence[Halt]) -> None: ...

    def on_bars(self, _bars: Sequence[Bar]) -> None: ...

    def on_provider_time(self, _reading: ClockReading) -> None: ...

    def on_impairment(self, _impairment: Impairment | None) -> None: ...

    def on_credentials(self, _generation: int, _problem: str | None) -> None: ...

    def on_socket_closed(self) -> None: ...


async def _retry(action: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `action`, after up to three attempts, unless Firestore refuses all requests."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await action()
        except SinkError as error:
            if error.is_paced:
                raise
        await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
    return await action()


def _document(quote: Quote | None) -> LiveQuote:
    now = datetime.now(UTC)
    _, stream = _provider_and_stream()
    known = quote or Quote(symbol=stream.symbol, ts=now, bid=None, ask=None, bid_size=None, ask_size=None)
    return LiveQuote(
        symbol=stream.symbol,
        bid=known.bid,
        ask=known.ask,
        bid_size=known.bid_size,
        ask_size=known.ask_size,
        price=known.mid,
        price_basis=None if known.mid is None else "mid",
        ts=known.ts,
        source=stream.source_name,
        job=_JOB,
        session_id=uuid.uuid4().hex,
        seq=1,
        epoch=0,
        written_at=now,
    )


def _with_project(firestore: FirestoreSettings, environment: Mapping[str, str]) -> FirestoreSettings:
    project = firestore.project_id or first_set_variable(environment, PROJECT)
    return msgspec.structs.replace(firestore, project_id=project)


def _with_remedy(error: SinkError) -> str:
    """Return the message. The message of a refusal of all requests says what to do, the others do not."""
    remedy = "" if error.is_paced else "; check the network and the project's name, then try again"
    return f"{error.message}{remedy}"


def _emulator_text() -> str:
    emulator = emulator_address(os.environ)
    return f" (the emulator {emulator} of {EMULATOR_VARIABLE}, not Google's service)" if emulator else ""
