"""The commands of `sluice-runtime` except `run`, and the lookup of the job to run."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sluice_contract import identity
from sluice_contract.decoding_errors import explain_decoding_error
from sluice_contract.resource import IngestJob
from sluice_contract.values import Symbol

from .adapters.decoding import decode_json
from .adapters.error_text import file_error_text
from .adapters.http.smoke_client import SmokeClient
from .adapters.job_document import JobDocumentError, parse_job_document
from .adapters.pause_file import ManualPause, ManualPauses, PauseFile
from .adapters.runtime_id import read_or_create_runtime_id
from .adapters.user_text import UserTextError, read_user_text
from .domain.pause import cut_reason
from .domain.preflight import Finding
from .factories import create_preflight
from .settings import Settings, SettingsError, pod_settings, variable
from .standalone_settings import (
    DocumentVariables,
    document_variables,
    job_from_environment,
    standalone_settings,
    state_dir,
    validated_job,
    variables_without_effect_on_document,
    with_variable_names,
)

_log = logging.getLogger(__name__)

_WHOLE = "the whole job"

Say = Callable[[str], None]


def job_reader(document: Path | None, environment: Mapping[str, str]) -> Callable[[], IngestJob]:
    """Return a function that reads the job from the file `document` at each call.

    Without a document, the function returns the job that the environment declares, which does not change.

    Raises:
        SettingsError: the environment declares no job. The returned function raises it too.
    """
    if document is None:
        found = job_from_environment(environment)
        return lambda: found
    file = _JobFile(document, document_variables(environment))
    if _is_pipe_or_device(document):  # a pipe can be read only once
        once = file.read(may_be_pipe=True)
        return lambda: once
    return file.read


def settings_for_job(job: IngestJob, environment: Mapping[str, str], document: Path | None) -> Settings:
    """Return the settings of a standalone runtime for `job`.

    Variables in spec.pod.env apply where the environment has none. Files that the job names are in the directory of the
    document.

    Raises:
        SettingsError: a variable is malformed.
    """
    own = {each.name: each.value for each in job.spec.pod.env} if job.spec.pod else {}
    variables = own | dict(environment)
    runtime_id = read_or_create_runtime_id(state_dir(variables))
    found = standalone_settings(job, variables, time.time_ns() // 1_000_000, runtime_id)
    return msgspec.structs.replace(found, files_dir=document.parent if document else Path(), job_file=document)


def log_variables_without_effect(document: Path, environment: Mapping[str, str]) -> None:
    """Log the variables that are set and declare a job, because `document` declares it."""
    if names := variables_without_effect_on_document(environment):
        _log.warning("no effect with -f: %s; %s declares these values, change them there", ", ".join(names), document)


def run_pause_command(arguments: argparse.Namespace, environment: Mapping[str, str], say: Say) -> int:
    """Run the command pause, resume or paused, and return the exit code.

    A running runtime follows within a second. A runtime that starts later reads the same file.

    Raises:
        SettingsError: a symbol is malformed, or the pause file cannot be read or written.
    """
    file = PauseFile(state_dir(environment))
    symbols = _parse_symbols(arguments.symbols)
    try:
        if arguments.command == "paused":
            state = file.read()
            return _list_pauses_of_symbols(symbols, state, say) if symbols else _list_all_pauses(state, file.path, say)
        if arguments.command == "pause":
            pause = ManualPause(since=datetime.now(UTC), reason=cut_reason(arguments.reason) or "")
            file.rewrite_under_lock(lambda before: before.with_pauses_added(symbols, pause))
        else:
            file.rewrite_under_lock(lambda before: before.with_pauses_removed(symbols))
    except (OSError, msgspec.MsgspecError) as error:
        remedy = "check SLUICE_STATE_DIR" if isinstance(error, OSError) else "repair or remove it"
        raise SettingsError(f"{file.path} cannot be used ({file_error_text(error)}); {remedy}") from None
    done = "paused" if arguments.command == "pause" else "resumed"
    whom = ", ".join(symbols) or _WHOLE
    say(f"{done} in {file.path}: {whom}; a runtime that reads it follows within 1 s")
    return 0


def _list_all_pauses(state: ManualPauses, path: Path, say: Say) -> int:
    """List the pause of the whole job, and then those of symbols in alphabetical order. Return exit code 0."""
    if state.job is not None:
        say(_pause_line(_WHOLE, state.job))
    for name, pause in sorted(state.symbols.items()):
        say(_pause_line(name, pause))
    if not state.symbols:
        say(f"no symbol is paused in {path}")
    return 0


def _list_pauses_of_symbols(symbols: list[str], state: ManualPauses, say: Say) -> int:
    """List the pauses of these symbols. Return 1 unless each of them is paused, itself or with the whole job."""
    for name, pause in sorted(state.symbols.items()):
        if name in symbols:
            say(_pause_line(name, pause))
    if state.job is not None:
        say(_pause_line(_WHOLE, state.job))
        return 0
    not_paused = [name for name in dict.fromkeys(symbols) if name not in state.symbols]
    if not_paused:
        say(f"not paused: {', '.join(not_paused)}")
    return 1 if not_paused else 0


def settings_for_preflight(document: Path | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the pod if the operator has injected a job, otherwise those of a standalone runtime.

    A `document` takes precedence over the injected job.

    Raises:
        SettingsError: a setting is missing or malformed.
    """
    if identity.JOB_ENV in environment and document is None:
        return pod_settings(environment)
    return settings_for_job(job_reader(document, environment)(), environment, document)


def with_symbols_from_json(settings: Settings, symbols_json: bytes) -> Settings:
    """Return `settings` with the symbols of a JSON array. An empty array leaves the symbols as they are.

    Raises:
        SettingsError: `symbols_json` is not a JSON array of symbols.
    """
    try:
        symbols = decode_json(symbols_json, list[Symbol]) or settings.job.spec.symbols
    except msgspec.MsgspecError as error:
        raise SettingsError(
            f"--symbols-from-stdin: standard input is not a JSON array of symbols: {explain_decoding_error(error)}"
        ) from None
    spec = msgspec.structs.replace(settings.job.spec, symbols=symbols)
    return msgspec.structs.replace(settings, job=msgspec.structs.replace(settings.job, spec=spec))


def run_http_smoke_test(base_url: str, seconds: float, environment: Mapping[str, str], say: Say) -> int:
    """Test a running runtime over HTTP: status, reload, dry start and stop. Return the exit code.

    The runtime stays stopped.
    """
    failure = SmokeClient(base_url, variable(environment, "SLUICE_HTTP_TOKEN")).run_steps(seconds, say)
    say(
        f"FAIL: {failure}"
        if failure
        else "PASS: status, reload, dry start and stop; the runtime is now stopped, not dry"
    )
    return 1 if failure else 0


def run_preflight(settings: Settings, environment: Mapping[str, str], say: Say, *, as_json: bool) -> int:
    """Check the provider's account, print the findings, and return the exit code.

    The code is 1 if a finding is not good. With `as_json`, the findings are a JSON array and the code is always 0.

    Raises:
        SettingsError: a variable that the provider reads is missing or malformed.
    """
    preflight = create_preflight(settings, environment)
    if preflight is not None and preflight.skip_reason is not None and not as_json:
        say(f"nothing was asked: {preflight.skip_reason}")
        return 0
    if preflight is None:
        words = f"a job of provider {settings.job.spec.provider} has no account to check"
        found = [Finding("preflight", True, words)]
    else:
        found = preflight.run_checks()
    if as_json:
        say(msgspec.json.encode(found).decode())
        return 0
    for each in found:
        say(f"{'ok ' if each.good else 'NOT'} {each}")
    return 0 if all(each.good for each in found) else 1


def _is_pipe_or_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


class _JobFile:
    """A file with a job. It is read each time, and validated when its text has changed."""

    def __init__(self, path: Path, variables: DocumentVariables) -> None:
        self._path = path
        self._variables = variables
        self._last: tuple[str, IngestJob] | None = None  # a valid text, and its job

    def read(self, *, may_be_pipe: bool = False) -> IngestJob:
        """Return the job.

        Raises:
            SettingsError: the path is now a pipe or device, cannot be read, or is not a valid job.
        """
        if not may_be_pipe and _is_pipe_or_device(self._path):  # reading a pipe would block all loops
            raise SettingsError(f"{self._path} is no longer a file")
        try:
            text = read_user_text(self._path, may_be_pipe=may_be_pipe)
            if self._last is None or self._last[0] != text:
                self._last = text, self._parse(text)
            return self._last[1]
        except OSError as error:
            raise SettingsError(f"{self._path} cannot be read: {error.strerror}") from None
        except (UserTextError, JobDocumentError) as error:
            raise SettingsError(f"{self._path} cannot be read: {error}") from None
        except SettingsError as error:
            raise SettingsError(f"{self._path}: {error}") from None

    def _parse(self, text: str) -> IngestJob:
        document = parse_job_document(text)
        spec = document.value.get("spec")
        set_fields = self._variables.apply_to(spec) if isinstance(spec, dict) else {}
        try:
            return validated_job(document.value, document.scalar_texts, document.key_texts)
        except SettingsError as error:
            raise SettingsError(with_variable_names(str(error), set_fields)) from None


def _parse_symbols(names: list[str]) -> list[str]:
    try:
        return msgspec.convert([each.upper() for each in names], list[Symbol])
    except msgspec.ValidationError:
        raise SettingsError(f"{' '.join(names)}: symbols are written like AAPL or BRK.B") from None


def _pause_line(name: str, pause: ManualPause) -> str:
    why = f": {pause.reason}" if pause.reason else ""
    return f"{name} is paused since {pause.since:%Y-%m-%d %H:%M:%S UTC}{why}"
