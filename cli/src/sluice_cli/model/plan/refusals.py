"""The API server's refusal of an object, in the words of the plugin."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ...contract import contract
from ...text.printable import printable
from .findings import Finding

_CAUSE = re.compile(
    r"(?P<path>[\w.\[\]<>-]+): (?P<kind>Invalid value|Required value|Unsupported value|Duplicate value|Too many|"
    r"Too long|Forbidden)(?:: (?P<rest>.*))?$",
    re.DOTALL,
)
_INVALID = re.compile(r'The \w+ "[^"]*" is invalid:\s*(?P<causes>.*)', re.DOTALL)
_UNKNOWN = re.compile(r'(?:ValidationError\(\w+\.?(?P<above>[^)]*)\): )?unknown field "(?P<field>[^"]+)"')
_TWICE = re.compile(r'duplicate field "([^"]+)"|key "([^"]+)" already set')
_NO_KIND = re.compile(r'no matches for kind "(?P<kind>\w+)" in version "(?P<version>[^"]+)"')
_CONFLICT = re.compile(r'conflicts? with "(?P<manager>[^"]+)"[^:\n]*:(?P<fields>(?:\n- \S+|[ ]\S+)+)')
_DENIED = re.compile(r"denied (?:the )?request: (?P<message>.*)", re.DOTALL)
_SERVER = re.compile(r"^Error from server \(\w+\): ")
_PREFIX = re.compile(
    r"^(?:error: )?error when (?:creating|applying patch|patching)[^\n]*?: |^error when [^:]*:\n", re.DOTALL
)
_NOT_CHECKED = "some validation rules were not checked"
_BODY = re.compile(r"^[\w.\[\]<>-]+ in body ")
_PATTERN = re.compile(r"should match '(.*)'$")
_UNKNOWN_FORM = "its characters are not those that this field allows"
_TYPES = ('"object"', '"array"', '"boolean"', '"string"', '"number"', '"integer"', '"null"')
_WORDS = (
    (re.compile(r"should be greater than or equal to (\S+)"), "set it to {} or more"),
    (re.compile(r"should be less than or equal to (\S+)"), "set it to {} or less"),
    (re.compile(r"should be at least (\d+) chars long"), "it needs at least {} characters"),
    (re.compile(r"should be at most (\d+) chars long"), "it can have at most {} characters"),
    (re.compile(r"may not be more than (\d+) bytes"), "it can have at most {} characters"),
    (re.compile(r"should have at least (\d+) items"), "it needs at least {} items"),
    (re.compile(r"(?:should have at most|must have at most) (\d+) items"), "it can have at most {} items"),
    (re.compile(r"must be of type string"), "write a text, in quotation marks"),
    (re.compile(r"must be of type integer"), "write a whole number"),
    (re.compile(r"must be of type boolean"), "write true or false, without quotation marks"),
    (re.compile(r"must be of type array"), "write a list"),
    (re.compile(r"must be of type object"), "write a mapping"),
)  # fmt: skip


def refusal_findings(message: str, explained: Collection[str] = ()) -> list[Finding]:
    """Return a finding for each cause that the API server names. The paths in `explained` have findings already."""
    sentences = list(_sentences(message, explained))
    return [Finding("problem", "refused", each) for each in dict.fromkeys(sentences)]


def _sentences(message: str, explained: Collection[str]) -> Iterator[str]:
    unknown = [".".join(each for each in parts if each) for parts in _UNKNOWN.findall(message)]
    twice = [a or b for a, b in _TWICE.findall(message)]
    if unknown or twice:
        yield from map(_unknown_field_sentence, unknown)
        yield from (f"{each} is declared twice: remove one of the two." for each in twice)
        return
    if conflicts := _CONFLICT.findall(message):
        yield from (_conflict_sentence(manager, fields) for manager, fields in conflicts)
        return
    invalid = _INVALID.search(message)
    if invalid is not None:
        yield from _cause_sentences(invalid["causes"], explained)
    else:
        yield _sentence_of_other(message)


def _sentence_of_other(message: str) -> str:
    """Return the sentence of an admission policy, of a kind that is not served, or the message as it is."""
    denied, kind = _DENIED.search(message), _NO_KIND.search(message)
    if denied is not None:
        return printable(denied["message"])
    if kind is not None:
        return (
            f"This cluster does not serve {kind['kind']} in version {kind['version']}: write apiVersion: "
            f"{contract()['apiVersion']}, or apply the CRDs of Sluice."
        )
    return printable(_PREFIX.sub("", _SERVER.sub("", message)))


def _conflict_sentence(manager: str, fields: str) -> str:
    names = ", ".join(each.lstrip(".") for each in fields.split() if each != "-")
    return (
        f"{manager} owns {names}, so kubectl apply --server-side does not change it: leave it out of the file, or add "
        "--force-conflicts."
    )


def _unknown_field_sentence(path: str) -> str:
    fields = contract()["fields"]
    known = path[5:] if path.startswith("spec.") else path
    if re.sub(r"\[\d+\]", "[]", known) in fields:
        return f"The CRDs of this cluster do not have the field {path}: apply newer CRDs, or remove the field."

    above, _, name = known.rpartition(".")
    start = f"{above}." if above else ""
    siblings = [each[len(start) :] for each in fields if each.startswith(start) and "." not in each[len(start) :]]
    similar = get_close_matches(name, siblings, 1)
    hint = f"; did you mean spec.{start}{similar[0]}?" if similar else ": remove it."
    return f"unknown field {path}{hint}"


def _cause_sentences(causes: str, explained: Collection[str]) -> Iterator[str]:
    parts = re.split(r"(?:^|\n)\* ", causes) if "* " in causes[:2] else [causes]
    found = [match for each in parts if (match := _CAUSE.match(each.strip())) and _NOT_CHECKED not in each]
    in_words = {each["path"] for each in found if " in body " not in (each["rest"] or "")}
    for each in found:
        path, rest = each["path"], each["rest"] or ""
        is_pattern_of_rule = "should match '" in rest and path in in_words
        if path not in explained and not is_pattern_of_rule:
            yield printable(_sentence(path, each["kind"], rest))
    if not found and causes.strip():
        yield printable(causes)


def _sentence(path: str, kind: str, rest: str) -> str:
    if kind == "Required value":
        return f"{path} is missing: set it."
    if kind == "Duplicate value":
        return f"{path} is {rest}, which occurs twice: remove one of the two."
    if kind == "Unsupported value":
        value, _, supported = rest.partition(": supported values: ")
        quoted = supported.replace('"', "")
        return f"{path} is {value}: set it to one of {quoted}."
    value, _, message = rest.partition(": ")
    given = path if value in _TYPES else f"{path} is {value}"
    if (wrong := _explained(_BODY.sub("", message))) is not None:
        return f"{given}: {_with_range(wrong, path)}."
    rule = message or rest
    return rule if rule.startswith(("spec.", "metadata.", "provider ", "limits.")) else f"{path}: {rule}"


def _explained(message: str) -> str | None:
    """Return what to write instead of a value that breaks a bound of the schema; None for another message."""
    pattern = _PATTERN.search(message)
    if pattern is not None:
        words: str = contract()["patternWords"].get(pattern[1], _UNKNOWN_FORM)
        return words
    for expression, clause in _WORDS:
        if (found := expression.search(message)) is not None:
            return clause.format(*found.groups())
    return None


def _with_range(clause: str, path: str) -> str:
    """Return the clause about a number with both bounds, if the field has both."""
    field = contract()["fields"].get(re.sub(r"\[\d+\]", "[]", path[5:]), {})
    low, high = field.get("minimum"), field.get("maximum")
    if low is None or high is None:
        return clause
    return (
        f"set it to a number from {low} to {high}" if clause.startswith("set it") else f"{clause} from {low} to {high}"
    )
