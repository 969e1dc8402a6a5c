"""The status of one job: what the table, the tree and the JSON show."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from ..contract import contract, remedy_of_failure
from .fields import child, flag, instant, number, objects, text, texts
from .pauses import JobKey, PauseObject
from .sink import Sink, sink_of_job
from .state import PAUSING, Problem, State, is_enabled_dry_run, problems_of_job, state_of_job
from .switches import HeldSwitch, PauseView, switches_of_job

_COUNTS = ("live", "quiet", "stale", "unheard", "closed", "halted", "paused")


class Rejection(NamedTuple):
    """A symbol that the provider rejects."""

    symbol: str
    code: int | None
    message: str


class SymbolPause(NamedTuple):
    """Symbols of the job that are paused by one switch."""

    symbols: tuple[str, ...]
    switch: HeldSwitch


class Symbols(NamedTuple):
    """The symbols of a job. The lists of names have the first 20 of each kind."""

    declared: int
    live: str  # such as 29/30; empty: not reported
    desired: int | None
    confirmed: int | None
    rejected: tuple[Rejection, ...]
    rejected_count: int
    stale: tuple[str, ...]
    halted: tuple[str, ...]
    paused: tuple[str, ...]
    unheard: tuple[str, ...]
    freshness: dict[str, int]  # only counts above 0
    pauses: tuple[SymbolPause, ...]


class Pause(NamedTuple):
    """The pause of a job: every switch that holds, in the order in which to ask their owners."""

    acknowledged_at: datetime | None
    socket_closed_at: datetime | None
    last_write_at: datetime | None
    switches: tuple[HeldSwitch, ...]

    @property
    def until(self) -> datetime | None:
        """When the job can resume by itself; None if a switch has no end."""
        ends = [each.until for each in self.switches]
        known = [each for each in ends if each is not None]
        return max(known) if known and len(known) == len(ends) else None


class Market(NamedTuple):
    """The market of a job: `open` or `closed`, and when that changes; None if it never does, or if it is unknown."""

    phase: str
    changes_at: datetime | None


class Slot(NamedTuple):
    """The connection that a provider allows for a key."""

    is_acquired: bool
    holder: str


class Failure(NamedTuple):
    """Why the stream is not live, or what impairs it."""

    type: str
    message: str
    remedy: str
    at: datetime | None


class Gap(NamedTuple):
    """A period without data; `until` is None while it lasts."""

    since: datetime | None
    until: datetime | None
    cause: str


class JobStatus(NamedTuple):
    """A job as the plugin shows it."""

    namespace: str
    name: str
    tenant: str
    provider: str
    feed: str
    state: State
    is_ready: bool
    is_dry_run: bool
    generation: int | None
    applied_generation: int | None
    epoch: int | None
    pod_name: str
    stream_state: str
    heartbeat_at: datetime | None
    last_quote_at: datetime | None
    symbols: Symbols
    pause: Pause | None
    sink: Sink
    slot: Slot | None
    failure: Failure | None
    gaps: tuple[Gap, ...]
    market: Market | None
    policies: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def full_name(self) -> str:
        """Namespace and name, such as `acme/us-equities`."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_streaming(self) -> bool:
        """Whether the job streams, or has streamed its tape to the end, and nothing pauses it."""
        return self.pause is None and self.stream_state in ("Live", "Finished")


def key_of_job(document: dict[str, Any]) -> JobKey:
    """Return what decides whether a pause covers the job."""
    provider = text(document, "spec", "provider")
    declared = contract()["fields"].get(f"{provider}.feed", {}).get("default", "")
    feed = text(document, "spec", provider, "feed") or declared
    labels = child(document, "metadata", "labels")
    pairs = tuple(sorted((key, value) for key, value in labels.items() if isinstance(value, str)))
    namespace, name = text(document, "metadata", "namespace"), text(document, "metadata", "name")
    return JobKey(namespace, name, pairs, provider, feed, texts(document, "spec", "symbols"))


def status_of_job(document: dict[str, Any], pauses: PauseView, now: datetime) -> JobStatus:
    """Return the status of a job at `now`."""
    key = key_of_job(document)
    stream = child(document, "status", "stream")
    failure = child(stream, "failure")
    conditions = objects(document, "status", "conditions")
    pause, state = _pause(document, key, pauses, now), state_of_job(document, now)
    if pause is not None and pause.switches and state.level in ("running", "warning"):
        state = PAUSING  # a switch was turned off just now
    return JobStatus(
        namespace=key.namespace,
        name=key.name,
        tenant=text(document, "spec", "tenant"),
        provider=key.provider,
        feed=text(stream, "feed") or (f"{key.provider}:{key.feed}" if key.feed else key.provider),
        state=state,
        is_ready=any(text(each, "type") == "Ready" and text(each, "status") == "True" for each in conditions),
        is_dry_run=is_enabled_dry_run(document),
        generation=number(document, "metadata", "generation"),
        applied_generation=number(stream, "observedGeneration"),
        epoch=number(document, "status", "epoch"),
        pod_name=text(document, "status", "podName"),
        stream_state=text(stream, "state"),
        heartbeat_at=instant(stream, "heartbeat", "at"),
        last_quote_at=instant(stream, "heartbeat", "lastQuoteReceivedAt"),
        symbols=_symbols(document, key, pauses, now),
        pause=pause,
        sink=sink_of_job(document),
        slot=_slot(stream),
        failure=Failure(
            text(failure, "type"), text(failure, "message"), remedy_of_failure(text(failure, "type")),
            instant(failure, "at"),
        ) if failure else None,
        gaps=gaps_of_stream(stream),
        market=_market(stream),
        policies=texts(document, "status", "policy", "names"),
        problems=problems_of_job(document),
    )  # fmt: skip


def _symbols(document: dict[str, Any], key: JobKey, pauses: PauseView, now: datetime) -> Symbols:
    found = child(document, "status", "stream", "symbols")
    freshness = child(document, "status", "stream", "freshness")
    counts = {each: number(freshness, each) for each in _COUNTS}
    by_switch = [_symbol_pause(each, key) for each in pauses.of_symbols(key, now)]
    return Symbols(
        declared=len(key.symbols),
        live=text(found, "live"),
        desired=number(found, "desired"),
        confirmed=number(found, "confirmed"),
        rejected=tuple(
            Rejection(text(each, "symbol"), number(each, "code"), text(each, "message"))
            for each in objects(found, "rejections")
        ),
        rejected_count=number(found, "rejected") or 0,
        stale=texts(found, "staleSymbols"),
        halted=texts(found, "haltedSymbols"),
        paused=texts(found, "pausedSymbols"),
        unheard=texts(found, "unheardSymbols"),
        freshness={name: count for name, count in counts.items() if count},
        pauses=(*by_switch, *_declared_symbol_pauses(document, now)),
    )


def _symbol_pause(pause: PauseObject, job: JobKey) -> SymbolPause:
    symbols = tuple(each for each in pause.symbols if each in job.symbols)
    fleet = " --fleet" if not pause.namespace else ""
    where = f" -n {pause.namespace}" if pause.namespace else ""
    command = f"kubectl sluice resume{fleet} --pause {pause.name}{where}"
    return SymbolPause(symbols, HeldSwitch(pause.source, pause.reason, pause.by, pause.until, "Delete it.", command))


def _declared_symbol_pauses(document: dict[str, Any], now: datetime) -> list[SymbolPause]:
    found = []
    for each in objects(document, "spec", "pausedSymbols"):
        until = instant(each, "until")
        if until is None or until > now:
            ends = "Remove the symbol from spec.pausedSymbols."
            switch = HeldSwitch("spec.pausedSymbols", text(each, "reason"), "", until, ends, "")
            found.append(SymbolPause((text(each, "symbol"),), switch))
    return found


def _pause(document: dict[str, Any], key: JobKey, pauses: PauseView, now: datetime) -> Pause | None:
    switches = switches_of_job(document, key, pauses, now)
    reported = child(document, "status", "stream", "pause")
    if not switches and not reported:
        return None
    return Pause(
        acknowledged_at=instant(reported, "acknowledgedAt"),
        socket_closed_at=instant(reported, "socketClosedAt"),
        last_write_at=instant(reported, "lastWriteAt"),
        switches=switches,
    )


def _slot(stream: dict[str, Any]) -> Slot | None:
    slot = child(stream, "slot")
    return Slot(bool(flag(slot, "acquired")), text(slot, "holder")) if slot else None


def _market(stream: dict[str, Any]) -> Market | None:
    phase = text(stream, "market", "phase")
    return Market(phase, instant(stream, "market", "changesAt")) if phase in ("open", "closed") else None


def gaps_of_stream(stream: dict[str, Any]) -> tuple[Gap, ...]:
    """Return the gaps that `status.stream` has, the oldest first. The last one can still last."""
    ended = [Gap(instant(each, "from"), instant(each, "to"), text(each, "cause")) for each in objects(stream, "gaps")]
    lasting = child(stream, "openGap")
    return (*ended, *([Gap(instant(lasting, "since"), None, text(lasting, "cause"))] if lasting else []))
