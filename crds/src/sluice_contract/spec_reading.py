"""Decoding of the spec of a stored IngestJob that this version may understand only in part.

The API server may have stored a spec that this version cannot decode, because the CRD is newer or its schema is
incomplete. A stop must take effect all the same, so each field that stops a job is decoded separately.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .base import CamelStruct
from .decoding_errors import problem_sentence
from .lenient import UNREADABLE
from .proxies import is_proxy_variable
from .spec import IngestJobSpec, Pause, PausedSymbol
from .symbol_duplicates import duplicate_symbols

STOP_FIELDS: Final = frozenset({"enabled", "pause", "pausedSymbols"})

_MAX_NAME_LENGTH: Final = 20


class StopFields(CamelStruct, frozen=True):
    """The fields of a spec that stop the job or some of its symbols.

    If one of these fields is not understood, `problem` is a sentence that names it. The whole job is then paused,
    because the author may have wanted to stop all of it.
    """

    enabled: bool = True
    pause: Pause | None = None
    paused_symbols: list[PausedSymbol] = []  # noqa: RUF012  msgspec copies an empty default
    problem: str = ""


class SpecReadResult(CamelStruct, frozen=True):
    """The result of decoding a spec that may be understood only in part.

    `stops` has the fields that stop the job or single symbols, and is always present. `spec` is the whole spec with
    these fields, or None if any other field is not understood; `problem` then names that field. `ignored_variables` are
    the proxy variables in `spec.pod.env`, which the spec leaves out: the operator's settings name the proxy.
    `duplicate_symbols` are the symbols that the document lists more than once; the spec has each of them once.
    """

    spec: IngestJobSpec | None
    stops: StopFields
    problem: str = ""
    ignored_variables: tuple[str, ...] = ()
    duplicate_symbols: tuple[str, ...] = ()


def decode_spec_or_stop_fields(raw: Any) -> SpecReadResult:
    """Convert the `spec` of a decoded document to a struct, or at least its stop fields. Never raises.

    A spec that is not an object counts as a stop.
    """
    rest, ignored = _without_proxy_variables(raw)
    result = _with_each_symbol_once(_decode_spec_or_stop_fields(rest))
    return msgspec.structs.replace(result, ignored_variables=ignored) if ignored else result


def _with_each_symbol_once(result: SpecReadResult) -> SpecReadResult:
    if result.spec is None or not (names := duplicate_symbols(result.spec.symbols)):
        return result
    spec = msgspec.structs.replace(result.spec, symbols=list(dict.fromkeys(result.spec.symbols)))
    return msgspec.structs.replace(result, spec=spec, duplicate_symbols=names)


def _without_proxy_variables(raw: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the spec without the proxy variables in `pod.env`, and their names. Any other content is unchanged."""
    pod = raw.get("pod") if isinstance(raw, dict) else None
    variables = pod.get("env") if isinstance(pod, dict) else None
    if not isinstance(pod, dict) or not isinstance(variables, list):
        return raw, ()
    ignored = [each for each in variables if isinstance(each, dict) and is_proxy_variable(str(each.get("name")))]
    if not ignored:
        return raw, ()
    kept = [each for each in variables if each not in ignored]
    return {**raw, "pod": {**pod, "env": kept}}, tuple(str(each["name"])[:_MAX_NAME_LENGTH] for each in ignored)


def _decode_spec_or_stop_fields(raw: Any) -> SpecReadResult:
    try:
        spec = msgspec.convert(raw, IngestJobSpec)
    except UNREADABLE:
        if not isinstance(raw, dict):
            unreadable = "spec is not understood: it is not an object"
            return SpecReadResult(spec=None, stops=StopFields(enabled=False, problem=unreadable), problem=unreadable)
        return _read_stop_fields_and_rest(raw)
    return SpecReadResult(spec=spec, stops=stop_fields(spec))


def stop_fields(spec: IngestJobSpec) -> StopFields:
    """Return the values of the fields with which a spec pauses its job or some symbols."""
    return StopFields(enabled=spec.enabled, pause=spec.pause, paused_symbols=spec.paused_symbols)


def with_stop_fields(spec: IngestJobSpec, stops: StopFields) -> IngestJobSpec:
    """Return the spec with its stop fields replaced by `stops`."""
    return msgspec.structs.replace(spec, enabled=stops.enabled, pause=stops.pause, paused_symbols=stops.paused_symbols)


def _read_stop_fields_and_rest(raw: dict[str, Any]) -> SpecReadResult:
    stops = _read_stop_fields(raw)
    rest = {name: value for name, value in raw.items() if name not in STOP_FIELDS}
    try:
        spec = msgspec.convert(rest, IngestJobSpec)
    except UNREADABLE as error:
        return SpecReadResult(spec=None, stops=stops, problem=problem_sentence("spec", error))
    return SpecReadResult(spec=with_stop_fields(spec, stops), stops=stops)


def _read_stop_fields(raw: dict[str, Any]) -> StopFields:
    """Convert each stop field separately. The first field that is not understood determines `problem`."""
    problems: list[str] = []

    def read(name: str, value: Any, kind: Any, otherwise: Any) -> Any:
        try:
            return msgspec.convert(value, kind)
        except UNREADABLE as error:
            problems.append(problem_sentence(f"spec.{name}", error))
            return otherwise

    enabled = read("enabled", raw.get("enabled", True), bool, False)
    pause = read("pause", raw.get("pause"), Pause | None, None)
    listed = read("pausedSymbols", raw.get("pausedSymbols") or [], list[Any], [])
    entries = [read(f"pausedSymbols[{at}]", entry, PausedSymbol, None) for at, entry in enumerate(listed)]
    return StopFields(
        enabled=enabled,
        pause=pause,
        paused_symbols=[entry for entry in entries if entry is not None],
        problem=problems[0] if problems else "",
    )
