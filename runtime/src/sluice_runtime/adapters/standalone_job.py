"""The job of a standalone runtime: a document or the environment, with manual pauses and changes over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.hot_fields import with_hot_fields_of
from sluice_contract.resource import IngestJob
from sluice_contract.rules import messages_of_broken_rules
from sluice_contract.spec import IngestJobSpec, PausedSymbol, with_default_hot_fields
from sluice_contract.status import StreamStatus
from sluice_contract.symbol_duplicates import duplicate_symbols, duplicates_sentence
from sluice_contract.values import Symbol

from ..domain.declared_job import DeclaredJob, to_declared_job
from ..domain.pause import Switch, cut_reason
from ..domain.reload_report import FileReading
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

    def __init__(
        self, read: ReadJob, pauses: PauseFile, listener: SwitchListener, document: Path | None = None
    ) -> None:
        """`document` is the file that `read` reads; None if it reads none."""
        self._read = read
        self._document = document
        self._file = pauses
        self._listener = listener
        self._began = self._declared = read()
        self._fields_that_need_restart: list[str] = []  # changed in the document, and not applied
        self._start_request = StartRequest()
        self._pauses = ManualPauses()
        self._spec: IngestJobSpec | None = None  # of the current generation
        self._generation = 0
        self._nudge = asyncio.Event()
        self._logged_problems: dict[str, str] = {}  # current problems that are already logged, by topic

    async def watch(self) -> AsyncIterator[DeclaredJob | None]:
        """Yield the job, and again after each change.

        The document and the pause file are read every second, and immediately after a change over HTTP.
        """
        yielded = 0
        while True:
            self._read_document()
            self._read_pauses()
            spec = self._update_generation()
            if self._generation != yielded:
                yielded = self._generation
                metadata = msgspec.structs.replace(self._began.metadata, generation=yielded)
                yield to_declared_job(IngestJob(metadata=metadata, spec=spec))
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._nudge.wait()
            except TimeoutError:
                continue
            self._nudge.clear()

    @property
    def generation(self) -> int:
        """The generation of the newest spec. `watch` yields it next, if it has not yet."""
        return self._generation

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
        self._update_generation()
        self._nudge.set()

    def reload(self) -> tuple[FileReading, ...]:
        """Read the pause file and the document now, drop all changes made over HTTP, and log current problems again.

        If the document cannot be used, its last version and the changes made over HTTP stay in force.
        """
        self._logged_problems.clear()
        pauses = self._read_pauses()
        before = self._declared.spec
        problem = self._read_document()
        if problem is None:
            self._start_request = StartRequest()
        self._update_generation()
        self._nudge.set()
        if self._document is None:
            return (pauses,)
        return pauses, self._document_reading(self._document, before, problem)

    def _document_reading(self, document: Path, before: IngestJobSpec, problem: str | None) -> FileReading:
        """Return what a reload has found in the document. `before` is the spec that was in force before it."""
        changed = _changed_fields(before, self._declared.spec)
        content = f"changed: {', '.join(changed)}" if changed else "unchanged"
        if names := self._fields_that_need_restart:
            content = f"{content}; {', '.join(names)} needs a restart of this runtime"
        return FileReading(file=str(document), content=content if problem is None else "not usable", problem=problem)

    def _update_generation(self) -> IngestJobSpec:
        """Return the spec in force, and raise the generation if it has changed."""
        spec = self._effective_spec(self._declared.spec, self._start_request)
        if spec != self._spec:
            self._spec = spec
            self._generation += 1
        return spec

    def _read_document(self) -> str | None:
        """Read the document. Return a sentence if it cannot be used; then its last version stays in force."""
        before = self._declared.spec
        try:
            self._declared = self._with_hot_fields_of(self._read())
        except RequestRefusedError as error:
            problem = f"{error}; the last version stays in force"
            if self._record_problem("document", problem):
                _log.warning("%s", problem, extra=_RELOAD)
            return problem
        self._logged_problems.pop("document", None)
        self._log_duplicate_symbols()
        if self._declared.spec != before:
            _log.info("job document changed; applying its hot fields", extra=_RELOAD)
        return None

    def _log_duplicate_symbols(self) -> None:
        names = duplicate_symbols(self._declared.spec.symbols)
        if self._record_problem("duplicates", ",".join(names)) and names:
            _log.warning("%s", duplicates_sentence(names), extra=_RELOAD)

    def _read_pauses(self) -> FileReading:
        """Read the pause file, and return what it contains. If it cannot be read, its last state stays in force."""
        path = str(self._file.path)
        try:
            self._pauses = self._file.read()
        except (OSError, msgspec.MsgspecError) as error:
            text = file_error_text(error)
            problem = f"{path} cannot be read ({text}); its last state stays in force; repair or remove it"
            if self._record_problem("pauses", str(error)):
                self._listener.record_switch_failure(problem)
            return FileReading(file=path, content="not usable", problem=problem)
        self._logged_problems.pop("pauses", None)
        self._listener.set_switch(self._switch_of_job_pause())
        paused = [*(["the whole job"] if self._pauses.job else []), *sorted(self._pauses.symbols)]
        return FileReading(file=path, content=f"pauses {', '.join(paused)}" if paused else "no pause")

    def _switch_of_job_pause(self) -> Switch:
        by_hand = self._pauses.job
        reason = cut_reason(by_hand.reason or None) if by_hand else None
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
            self._fields_that_need_restart = []
            return document
        cold = with_default_hot_fields(now)
        self._fields_that_need_restart = _changed_fields(with_default_hot_fields(began), cold)
        names = " and ".join(self._fields_that_need_restart)
        spec = with_hot_fields_of(began, now)
        if sentences := messages_of_broken_rules(msgspec.structs.replace(self._began, spec=spec)):
            raise RequestRefusedError(
                f"{names} can only change with a restart of this runtime, and no other change can be applied without "
                f"that ({'; '.join(sentences)})"
            )
        if self._record_problem("cold", str(msgspec.to_builtins(cold))):
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
            symbol: PausedSymbol(symbol=symbol, reason=cut_reason(pause.reason) or "")
            for symbol, pause in self._pauses.symbols.items()
        }
        return msgspec.structs.replace(
            declared,
            paused_symbols=list((listed | by_hand).values()),
            symbols=declared.symbols if start_request.symbols is None else _valid_symbols(start_request.symbols),
            dry_run=_value_or_default(start_request.dry_run, declared.dry_run),
        )

    def _record_problem(self, topic: str, problem: str) -> bool:
        """Record the current problem of a topic, and return True if it is new or has changed."""
        before = self._logged_problems.get(topic)
        self._logged_problems[topic] = problem
        return before != problem


def _changed_fields(before: IngestJobSpec, after: IngestJobSpec) -> list[str]:
    """Return the paths of the fields that differ, such as spec.symbols, in alphabetical order."""
    fields = msgspec.structs.fields(IngestJobSpec)
    return sorted(
        f"spec.{each.encode_name}" for each in fields if getattr(before, each.name) != getattr(after, each.name)
    )


def _job_identity(job: IngestJob) -> str:
    return f"{job.metadata.namespace}/{job.metadata.name} of tenant {job.spec.tenant}"


def _value_or_default(value: T | None, default: T) -> T:
    return default if value is None else value


def _valid_symbols(names: list[str]) -> list[str]:
    """Return the symbols without spaces and repetitions.

    Raises:
        RequestRefusedError: there is no symbol, or a name is not a symbol.
    """
    symbols = list(dict.fromkeys(each.strip() for each in names if each.strip()))
    if not symbols:
        raise RequestRefusedError(
            "symbols is empty, so there is nothing to stream; name at least one, or leave symbols out to start the "
            "symbols of the job"
        )
    try:
        return msgspec.convert(symbols, list[Symbol])
    except msgspec.ValidationError:
        raise RequestRefusedError(f"symbols: {', '.join(symbols)}: write symbols like AAPL or BRK.B") from None
