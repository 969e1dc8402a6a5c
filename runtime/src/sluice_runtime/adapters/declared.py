"""The job of a standalone runtime: a document or an environment, with what was paused by hand and asked for since."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec

from sluice_contract.resource import IngestJob
from sluice_contract.rules import broken
from sluice_contract.spec import IngestJobSpec, PausedSymbol, cold_part
from sluice_contract.status import StreamStatus
from sluice_contract.values import Symbol

from ..domain.pause import Switch
from ..ports import RefusedError, SwitchListener, Wishes
from .pauses import PauseFile, Pauses

_log = logging.getLogger(__name__)
_RELOAD = {"event_type": "reload"}
_POLL_SECONDS = 1.0

T = TypeVar("T")

Read = Callable[[], IngestJob]  # raises RefusedError


class StandaloneJob:
    """JobPort and Declaration in one. Only hot fields change; another cold field needs a restart, and is told."""

    def __init__(self, read: Read, pauses: PauseFile, listener: SwitchListener) -> None:
        self._read = read
        self._file = pauses
        self._listener = listener
        self._began = self._declared = read()
        self._wishes = Wishes()
        self._pauses = Pauses()
        self._generation = 0
        self._nudge = asyncio.Event()
        self._told: set[str] = set()

    async def watch(self) -> AsyncIterator[IngestJob | None]:
        """As JobPort. Looks every second, and at once when it is nudged."""
        last: IngestJobSpec | None = None
        while True:
            self._look()
            spec = self._spec(self._declared.spec, self._wishes)
            if spec != last:
                last = spec
                self._generation += 1
                metadata = msgspec.structs.replace(self._began.metadata, generation=self._generation)
                yield IngestJob(metadata=metadata, spec=spec)
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._nudge.wait()
            except TimeoutError:
                continue
            self._nudge.clear()

    async def report(self, status: StreamStatus) -> None:
        """As JobPort. There is no status to write: HTTP tells it."""

    def wish(self, wishes: Wishes) -> None:
        """As Declaration. What is not wished stays as it was wished before, until the next reload."""
        if wishes.provider not in (None, self._began.spec.provider):
            raise RefusedError(
                f"this runtime streams from {self._began.spec.provider}: restart it for another provider"
            )
        merged = Wishes(
            symbols=_either(wishes.symbols, self._wishes.symbols),
            dry_run=_either(wishes.dry_run, self._wishes.dry_run),
        )
        self._held_to_the_rules(self._spec(self._declared.spec, merged))
        self._wishes = merged
        self._nudge.set()

    def reload(self) -> None:
        """As Declaration. What was wished over HTTP ends with it: the document counts."""
        self._declared = self._hot(self._read())
        self._wishes = Wishes()
        self._nudge.set()

    def _look(self) -> None:
        before = self._declared.spec
        try:
            self._declared = self._hot(self._read())
            if self._declared.spec != before:
                _log.info("the document has changed: what is new of it is applied", extra=_RELOAD)
        except RefusedError as error:
            self._tell_once(f"{error}; what was read last stands")
        try:
            self._pauses = self._file.read()
            self._listener.switched(self._switch())
        except (OSError, msgspec.MsgspecError) as error:
            message = f"{self._file.path} cannot be read ({error}); what it said last stands"
            if message not in self._told:
                self._told.add(message)
                self._listener.check_failed(message)

    def _switch(self) -> Switch:
        by_hand = self._pauses.job
        reason = (by_hand.reason or None) if by_hand else None
        return Switch(source=f"file:{self._file.path}", pauses=by_hand is not None, reason=reason)

    def _hot(self, found: IngestJob) -> IngestJob:
        """What can be applied of it.

        Raises:
            RefusedError: nothing, for the hot fields would break a rule with the cold ones that run.
        """
        began, now = self._began.spec, found.spec
        if cold_part(now) == cold_part(began):
            return found
        cold, before = msgspec.to_builtins(cold_part(now)), msgspec.to_builtins(cold_part(began))
        names = [f"spec.{name}" for name in cold.keys() | before.keys() if cold.get(name) != before.get(name)]
        self._tell_once(
            f"{' and '.join(sorted(names))} can only change with a restart of this runtime; the rest is applied"
        )
        spec = msgspec.structs.replace(
            began,
            symbols=now.symbols,
            channels=now.channels,
            enabled=now.enabled,
            pause=now.pause,
            paused_symbols=now.paused_symbols,
            dry_run=now.dry_run,
            limits=now.limits,
            heartbeat=msgspec.structs.replace(began.heartbeat, interval_seconds=now.heartbeat.interval_seconds),
            auto_stop=now.auto_stop,
        )
        self._held_to_the_rules(spec)
        return msgspec.structs.replace(self._began, spec=spec)

    def _held_to_the_rules(self, spec: IngestJobSpec) -> None:
        # Above all: quotes that are simulated in a dry run are never written.
        if sentences := broken(msgspec.structs.replace(self._began, spec=spec)):
            raise RefusedError(f"{'; '.join(sentences)}; a restart may be needed")

    def _spec(self, declared: IngestJobSpec, wishes: Wishes) -> IngestJobSpec:
        listed = {entry.symbol: entry for entry in declared.paused_symbols}
        by_hand = {
            symbol: PausedSymbol(symbol=symbol, reason=pause.reason) for symbol, pause in self._pauses.symbols.items()
        }
        return msgspec.structs.replace(
            declared,
            paused_symbols=list((listed | by_hand).values()),
            symbols=_symbols(wishes.symbols) or declared.symbols,
            dry_run=_either(wishes.dry_run, declared.dry_run),
        )

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            _log.warning(message, extra=_RELOAD)


def _either(wished: T | None, otherwise: T) -> T:
    return otherwise if wished is None else wished


def _symbols(wished: list[str] | None) -> list[str]:
    try:
        return msgspec.convert(wished or [], list[Symbol])
    except msgspec.ValidationError as error:
        raise RefusedError(f"symbols: {error}") from None
