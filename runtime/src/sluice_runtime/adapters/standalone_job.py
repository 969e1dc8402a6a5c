"""The job of a standalone runtime: a document or the environment, with manual pauses and changes over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.resource import IngestJob
from sluice_contract.rules import messages_of_broken_rules
from sluice_contract.spec import IngestJobSpec, PausedSymbol, with_default_hot_fields
from sluice_contract.status import StreamStatus
from sluice_contract.values import Symbol

from ..domain.declared_job import DeclaredJob, to_declared_job
from ..domain.pause import Switch
from ..ports import RequestRefusedError, StartRequest
from ..switch_ports import SwitchListener
from .error_text import file_error_text
from .pause_file import ManualPauses, PauseFile

_log = logging.getLogger(__name__)
_RELOAD = {"event_type": "reload"}
_POLL_SECONDS = 1.0

T = TypeVar("T")

ReadJob = Callable[[], IngestJob]  # raises RequestRefusedError


class StandaloneJob:
    """The job of a standalone runtime, as JobPort and Declaration.

    Changed hot fields are applied. Changed cold fields are logged and need a restart.
    """

    def __init__(self, read: ReadJob, pauses: PauseFile, listener: SwitchListener) -> None:
        self._read = read
        self._file = pauses
        self._listener = listener
        self._began = self._declared = read()
        self._start_request = StartRequest()
        self._pauses = ManualPauses()
        self._generation = 0
        self._nudge = asyncio.Event()
        self._logged_problems: dict[str, str] = {}  # current problems that are already logged, by topic

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job, and again after each change.

        The document and the pause file are read every second, and immediately after a change over HTTP.
        """
        last: IngestJobSpec | None = None
        while True:
            self._read_document_and_pauses()
            spec = self._effective_spec(self._declared.spec, self._start_request)
            if spec != last:
                last = spec
                self._generation += 1
                metadata = msgspec.structs.replace(self._began.metadata, generation=self._generation)
                yield to_declared_job(IngestJob(metadata=metadata, spec=spec))
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._nudge.wait()
            except TimeoutError:
                continue
            self._nudge.clear()

    async def report_status(self, status: StreamStatus) -> None:
        """Do nothing: without a cluster, the status is served over HTTP only."""

    def override_until_reload(self, start_request: StartRequest) -> None:
        """Change symbols or dry run until the next reload. A value that the request lacks keeps its last override."""
        if start_request.provider not in (None, self._began.spec.provider):
            raise RequestRefusedError(
                f"this runtime streams from {self._began.spec.provider}; restart it for another provider"
            )
        merged = StartRequest(
            symbols=_value_or_default(start_request.symbols, self._start_request.symbols),
            dry_run=_value_or_default(start_request.dry_run, self._start_request.dry_run),
        )
        self._refuse_broken_rules(self._effective_spec(self._declared.spec, merged))
        self._start_request = merged
        self._nudge.set()

    def reload(self) -> None:
        """Read the document now, drop all changes made over HTTP, and log current problems again."""
        self._logged_problems.clear()
        self._declared = self._with_hot_fields_of(self._read())
        self._start_request = StartRequest()
        self._nudge.set()

    def _read_document_and_pauses(self) -> None:
        before = self._declared.spec
        try:
            self._declared = self._with_hot_fields_of(self._read())
            self._logged_problems.pop("document", None)
            if self._declared.spec != before:
                _log.info("job document changed; applying its hot fields", extra=_RELOAD)
        except RequestRefusedError as error:
            if self._record_problem("document", str(error)):
                _log.warning("%s; the last version stays in force", error, extra=_RELOAD)
        try:
            self._pauses = self._file.read()
            self._logged_problems.pop("pauses", None)
            self._listener.set_switch(self._switch_of_job_pause())
        except (OSError, msgspec.MsgspecError) as error:
            if self._record_problem("pauses", str(error)):
                self._listener.record_switch_failure(
                    f"{self._file.path} cannot be read ({file_error_text(error)}); its last state stays in force; "
                    f"repair or remove it"
                )

    def _switch_of_job_pause(self) -> Switch:
        by_hand = self._pauses.job
        reason = (by_hand.reason or None) if by_hand else None
        return Switch(source=f"file:{self._file.path}", pauses=by_hand is not None, reason=reason)

    def _with_hot_fields_of(self, document: IngestJob) -> IngestJob:
        """Return the running document with the hot fields of `document`.

        Raises:
            RequestRefusedError: `document` is another job, or its hot fields break a rule with the running cold fields.
        """
        began, now = self._began.spec, document.spec
        if _job_identity(document) != _job_identity(self._began):
            raise RequestRefusedError(
                f"the document now declares {_job_identity(document)}, but this runtime runs "
                f"{_job_identity(self._began)}; restart it"
            )
        if with_default_hot_fields(now) == with_default_hot_fields(began):
            self._logged_problems.pop("cold", None)
            return document
        cold, before = (
            msgspec.to_builtins(with_default_hot_fields(now)),
            msgspec.to_builtins(with_default_hot_fields(began)),
        )
        other = [f"spec.{name}" for name in cold.keys() | before.keys() if cold.get(name) != before.get(name)]
        names = " and ".join(sorted(other))
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
        if sentences := messages_of_broken_rules(msgspec.structs.replace(self._began, spec=spec)):
            raise RequestRefusedError(
                f"{names} can only change with a restart of this runtime, and no other change can be applied without "
                f"that ({'; '.join(sentences)})"
            )
        if self._record_problem("cold", str(cold)):
            message = f"{names} can only change with a restart of this runtime; the rest is applied"
            _log.warning(message, extra=_RELOAD)
        return msgspec.structs.replace(self._began, spec=spec)

    def _refuse_broken_rules(self, spec: IngestJobSpec) -> None:
        try:
            msgspec.convert(msgspec.to_builtins(spec), IngestJobSpec)
        except msgspec.ValidationError as error:
            raise RequestRefusedError(str(explain_decoding_error(error))) from None
        # Above all, this prevents writing simulated quotes of a dry run.
        if sentences := messages_of_broken_rules(msgspec.structs.replace(self._began, spec=spec)):
            raise RequestRefusedError(f"{'; '.join(sentences)}; a restart may be needed")

    def _effective_spec(self, declared: IngestJobSpec, start_request: StartRequest) -> IngestJobSpec:
        listed = {entry.symbol: entry for entry in declared.paused_symbols}
        by_hand = {
            symbol: PausedSymbol(symbol=symbol, reason=pause.reason) for symbol, pause in self._pauses.symbols.items()
        }
        return msgspec.structs.replace(
            declared,
            paused_symbols=list((listed | by_hand).values()),
            symbols=_valid_symbols(start_request.symbols) or declared.symbols,
            dry_run=_value_or_default(start_request.dry_run, declared.dry_run),
        )

    def _record_problem(self, topic: str, problem: str) -> bool:
        """Record the current problem of a topic, and return True if it is new or has changed."""
        before = self._logged_problems.get(topic)
        self._logged_problems[topic] = problem
        return before != problem


def _job_identity(job: IngestJob) -> str:
    return f"{job.metadata.namespace}/{job.metadata.name} of tenant {job.spec.tenant}"


def _value_or_default(value: T | None, default: T) -> T:
    return default if value is None else value


def _valid_symbols(value: list[str] | None) -> list[str]:
    try:
        return msgspec.convert(list(dict.fromkeys(each.strip() for each in value or [])), list[Symbol])
    except msgspec.ValidationError as error:
        problem = explain_decoding_error(error)
        raise RequestRefusedError(f"symbols{problem.path}: {problem.explanation}") from None
