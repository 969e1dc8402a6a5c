"""Errors of msgspec in words for the author of the value: what to write, instead of the decoder's own terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

import msgspec

from .pattern_words import words_for_pattern
from .yaml_words import UNKNOWN_BOOLEAN

_TIME: Final = "a time with its time zone, such as 2026-11-23T14:00:00Z"
_TYPE_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object with named fields",
    "datetime": _TIME,
    "null": "null",
}
_PARTS: Final = {"str": "character", "array": "item", "object": "field"}
_COMPARISONS: Final = {">=": "{} or more", "<=": "{} or less", ">": "a number above {}", "<": "a number below {}"}
_BOOLEAN_FOR_TEXT: Final = re.compile(r"Expected `str(?: \| null)?`, got `bool`")  # in a document, often YAML's doing
_NOT_ALLOWED: Final = "this value is not allowed"
_MAX_SENTENCE_LENGTH: Final = 500


class DecodingProblem(msgspec.Struct, frozen=True):
    """What is wrong with one value. `path` is its place, such as `.limits.burst` or `[0]`; "" is the whole value.

    `explanation` is a clause without the terms of the decoder, such as "write 1 or more".
    """

    path: str
    explanation: str

    def __str__(self) -> str:
        return f"{self.path.removeprefix('.')}: {self.explanation}" if self.path else self.explanation


def explain_decoding_error(error: msgspec.MsgspecError) -> DecodingProblem:
    """Return where a value is wrong, and what to write there."""
    text, _, place = str(error).partition(" - at `")
    key_of = place.partition("` in `$")[2]  # the place of a mapping whose key is wrong
    path = key_of or place.removeprefix("$")
    return DecodingProblem(path.rstrip("`").replace("[...]", ""), _explanation(text))


def problem_sentence(path: str, error: Exception) -> str:
    """Return a sentence about a stored document, such as "spec.limits.burst is not understood: write 1 or more"."""
    if not isinstance(error, msgspec.MsgspecError):
        return f"{path} is not understood: it has a text with half a surrogate pair; write Unicode text"
    problem = explain_decoding_error(error)
    explanation = UNKNOWN_BOOLEAN if _BOOLEAN_FOR_TEXT.match(str(error)) else problem.explanation
    return f"{path}{problem.path} is not understood: {explanation}"[:_MAX_SENTENCE_LENGTH]


def amount_text(number: int, noun: str) -> str:
    """Return a number with its noun, which has an s in the plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _explanation(text: str) -> str:
    for pattern, explain in _EXPLANATIONS:
        if (found := pattern.match(text)) is not None:
            return explain(*found.groups())
    return _NOT_ALLOWED


def _wrong_type(expected: str, found: str) -> str:
    kinds = [_TYPE_WORDS.get(each, each) for each in expected.split(" | ") if each != "null"]
    return f"it is {_TYPE_WORDS.get(found, found)}; write {' or '.join(dict.fromkeys(kinds))}"


def _wrong_length(kind: str, comparison: str, bound: str) -> str:
    amount = amount_text(int(bound), _PARTS.get(kind, "byte"))
    return f"it needs at least {amount}" if comparison == ">=" else f"it can have at most {amount}"


def _wrong_form(pattern: str) -> str:
    return words_for_pattern(ast.literal_eval(pattern))


_EXPLANATIONS: Final[tuple[tuple[re.Pattern[str], Callable[..., str]], ...]] = (
    (re.compile(r"Expected `([^`]+)`, got `([^`]+)`"), _wrong_type),
    (re.compile(r"Expected `\w+` (>=|<=|>|<) (\S+)"), lambda sign, bound: f"write {_COMPARISONS[sign].format(bound)}"),
    (re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)"), _wrong_length),
    (re.compile(r"Expected `str` matching regex (.+)", re.DOTALL), _wrong_form),
    (re.compile(r"(?:Invalid RFC3339 encoded datetime|Expected `datetime`)"), lambda: f"write {_TIME}"),
    (re.compile(r"Expected `(\w+)`$"), lambda kind: f"write {_TYPE_WORDS.get(kind, kind)}"),
    (re.compile(r"Object missing required field `([^`]+)`"), lambda name: f"{name} is missing; add it"),
    (re.compile(r"Object contains unknown field `([^`]+)`"), lambda name: f"unknown field {name}; remove it"),
    (re.compile(r"Invalid (?:enum )?value (.+)", re.DOTALL), lambda value: f"{value} is not an allowed value"),
    (re.compile(r"(?:Integer value|Number|Timestamp) (?:is )?out of range"), lambda: "the number is too large"),
    (re.compile(r"JSON is malformed: .*\(byte (\d+)\)", re.DOTALL), lambda at: f"it is not valid JSON at byte {at}"),
    (re.compile(r"Input data was truncated"), lambda: "it is not valid JSON: the end is missing"),
    # The texts of decode_json, which are already in words.
    (re.compile(r"(it is .+)", re.DOTALL), lambda words: words),
)
