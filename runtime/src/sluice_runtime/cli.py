"""The commands of `sluice-runtime` except `run`, and the lookup of the job to run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import msgspec.yaml

from sluice_contract import identity
from sluice_contract.alpaca import Alpaca
from sluice_contract.resource import IngestJob
from sluice_contract.values import Symbol

from .adapters.alpaca.credentials import AlpacaMount, Credentials
from .adapters.alpaca.environment import EnvironmentMount
from .adapters.decoding import decoded
from .adapters.http.smoke_client import SmokeClient
from .adapters.pause_file import HandPause, PauseFile, Pauses
from .adapters.preflight import findings_of
from .adapters.user_text import UserTextError, read_user_text
from .domain.endpoints import rest_endpoints
from .settings import Settings, SettingsError, says, settings
from .standalone_settings import (
    KEY_ID,
    SECRET_KEY,
    checked,
    first,
    spec_from_environment,
    standalone_settings,
    state_dir,
)

_WHOLE = "the whole job"

Say = Callable[[str], None]


def declared(document: Path | None, environment: Mapping[str, str]) -> Callable[[], IngestJob]:
    """Return a function that reads the job from a file at each call, or from the environment, which does not change.

    Raises:
        SettingsError: the environment declares no job. The returned function raises it too.
    """
    if document is None:
        found = spec_from_environment(environment)
        return lambda: found
    dry = says(environment, "DRY_RUN", default="off")
    if _is_stream(document):  # a pipe can be read only once
        once = _document(document, dry=dry)
        return lambda: once
    return lambda: _file(document, dry=dry)


def settings_of(job: IngestJob, environment: Mapping[str, str], document: Path | None) -> Settings:
    """Return standalone settings. Tapes are next to the document, whose spec.pod.env fills gaps in the environment.

    Raises:
        SettingsError: a variable is malformed.
    """
    own = {each.name: each.value for each in job.spec.pod.env} if job.spec.pod else {}
    found = standalone_settings(job, own | dict(environment), time.time_ns() // 1_000_000)
    return msgspec.structs.replace(found, tape_dir=document.parent if document else Path())


def pauses(given: argparse.Namespace, environment: Mapping[str, str], say: Say) -> int:
    """pause, resume and paused. The runtime follows within a second, and one that starts later finds it.

    Raises:
        SettingsError: a symbol is none, or the state cannot be read or written.
    """
    file = PauseFile(state_dir(environment))
    symbols = _symbols(given.symbols)
    try:
        if given.command == "paused":
            state = file.read()
            return _list_pauses_of(symbols, state, say) if symbols else _list_all_pauses(state, say)
        if given.command == "pause":
            pause = HandPause(since=datetime.now(UTC), reason=given.reason)
            file.change(lambda before: before.paused(symbols, pause))
        else:
            file.change(lambda before: before.resumed(symbols))
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{file.path} cannot be used: {error}") from None
    done = "paused" if given.command == "pause" else "resumed"
    whom = ", ".join(symbols) or _WHOLE
    say(f"{done} in {file.path}: {whom}; a runtime that reads it follows within 1 s")
    return 0


def _list_all_pauses(state: Pauses, say: Say) -> int:
    """List the pause of the whole job, then those of symbols in alphabetical order."""
    if state.job is not None:
        say(_line(_WHOLE, state.job))
    for name, pause in sorted(state.symbols.items()):
        say(_line(name, pause))
    return 0


def _list_pauses_of(symbols: list[str], state: Pauses, say: Say) -> int:
    """List the pauses of these symbols. Exit code 1 unless all of them are paused, each or with the whole job."""
    for name, pause in sorted(state.symbols.items()):
        if name in symbols:
            say(_line(name, pause))
    if state.job is not None:
        say(_line(_WHOLE, state.job))
        return 0
    return 0 if state.symbols.keys() >= set(symbols) else 1


def settings_at_hand(document: Path | None, environment: Mapping[str, str]) -> Settings:
    """Return the pod's settings if the operator has injected them, otherwise standalone settings.

    Raises:
        SettingsError: a setting is missing or malformed.
    """
    if identity.JOB_ENV in environment and document is None:
        return settings(environment)
    return settings_of(declared(document, environment)(), environment, document)


def with_symbols(found: Settings, symbols: bytes) -> Settings:
    """Return the settings of a job with other symbols, given as a JSON array.

    Raises:
        SettingsError: it is not an array of symbols.
    """
    try:
        given = decoded(symbols, list[Symbol]) or found.job.spec.symbols
    except msgspec.MsgspecError as error:
        raise SettingsError(f"--symbols-from-stdin: standard input is not a JSON array of symbols ({error})") from None
    spec = msgspec.structs.replace(found.job.spec, symbols=given)
    return msgspec.structs.replace(found, job=msgspec.structs.replace(found.job, spec=spec))


def walk(base_url: str, seconds: float, environment: Mapping[str, str], say: Say) -> int:
    """Take a running runtime through status, reload, dry start and stop. It stays stopped."""
    failure = SmokeClient(base_url, first(environment, ("SLUICE_HTTP_TOKEN",))).failure(seconds, say)
    say(
        f"FAIL: {failure}"
        if failure
        else "PASS: status, reload, dry start and stop; the runtime is now stopped, not dry"
    )
    return 1 if failure else 0


def look(settings: Settings, environment: Mapping[str, str], say: Say, *, as_json: bool) -> int:
    """What a look at the provider's account finds: exit code 1 if not all of it is good, 0 always `as_json`."""
    alpaca = settings.job.spec.alpaca
    where = rest_endpoints(alpaca or Alpaca(), settings.trading_url, settings.data_url)
    if alpaca is not None and not where.has_trading_api and not as_json:
        say("nothing was asked: the stream is not Alpaca's own (set APCA_API_BASE_URL or spec.alpaca.tradingURL)")
        return 0
    found = findings_of(settings.job.spec, _alpaca_mount(settings, environment), where)
    if as_json:
        say(msgspec.json.encode(found).decode())
        return 0
    for each in found:
        say(f"{'ok ' if each.good else 'NOT'} {each}")
    return 0 if all(each.good for each in found) else 1


def _alpaca_mount(settings: Settings, environment: Mapping[str, str]) -> AlpacaMount | None:
    """The key pair of the environment, else that of the mounted Secret; None where the job uses neither."""
    alpaca = settings.job.spec.alpaca
    if alpaca is None:
        return None
    key_id, secret_key = first(environment, KEY_ID), first(environment, SECRET_KEY)
    if key_id and secret_key:
        return EnvironmentMount(alpaca, Credentials(key_id, secret_key))
    if settings.job.spec.alpaca_login is None:
        return None
    return AlpacaMount(alpaca, settings.alpaca_credentials_dir, settings.alpaca_ca_file)


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _file(path: Path, *, dry: bool) -> IngestJob:
    if _is_stream(path):  # reading a pipe would block all loops
        raise SettingsError(f"{path} is no longer a file")
    return _document(path, dry=dry)


def _document(path: Path, *, dry: bool) -> IngestJob:
    """Read a job document. `dry` forces a dry run, whatever the document says."""
    try:
        found = msgspec.yaml.decode(read_user_text(path, may_be_pipe=_is_stream(path)), type=dict)
        if dry and isinstance(found.get("spec"), dict):
            found["spec"]["dryRun"] = True
        return checked(found)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UserTextError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except (msgspec.MsgspecError, ValueError) as error:  # ValueError: an impossible date
        raise SettingsError(f"{path} is not a valid YAML document: {error}") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def _symbols(given: list[str]) -> list[str]:
    try:
        return msgspec.convert([each.upper() for each in given], list[Symbol])
    except msgspec.ValidationError:
        raise SettingsError(f"{' '.join(given)}: symbols are written like AAPL or BRK.B") from None


def _line(name: str, pause: HandPause) -> str:
    why = f": {pause.reason}" if pause.reason else ""
    return f"{name} is paused since {pause.since:%Y-%m-%d %H:%M:%S UTC}{why}"
