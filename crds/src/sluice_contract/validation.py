"""Validation of an IngestJob document without an API server, in sentences for its author."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .decoding_errors import amount_text, explain_decoding_error
from .pattern_words import words_for_pattern
from .resource import IngestJob, decode_ingest_job
from .rules import messages_of_broken_rules
from .yaml_words import reading_of_boolean, reading_of_text

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]

# Only a runtime without a cluster validates documents itself, so these words would mislead its user.
_CLUSTER_TERM: Final = re.compile(
    r"\b(pods?|Secrets?|ConfigMaps?|PersistentVolumeClaim|namespace|operator's|kubectl|server-side apply)\b"
)
_SENTENCE_END: Final = re.compile(r"(?<=\.) ")
_LONGEST_VALUE: Final = 100
_MOST_SENTENCES: Final = 10


class InvalidDocumentError(ValueError):
    """A document is not a valid IngestJob. `sentences` has one sentence for each of the first ten mistakes."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def decode_valid_job(
    document: dict[str, Any],
    scalar_texts: Mapping[Path, str] | None = None,
    key_texts: Mapping[Path, str] | None = None,
) -> IngestJob:
    """Validate a document as the API server does, and return the job. Fields that are null count as absent.

    `scalar_texts` and `key_texts` have the texts of the scalars and keys that YAML does not read as strings, by their
    path. The sentences explain them.

    Raises:
        InvalidDocumentError: fields are unknown or missing, values have the wrong type or are out of bounds, or a rule
            across fields is broken.
    """
    # Imported here: it is slow to import, and the pod and the operator do not validate documents.
    from .document_schema import schema_errors, without_nulls  # noqa: PLC0415

    document = without_nulls(document)
    texts, keys = scalar_texts or {}, key_texts or {}
    if errors := schema_errors(document):
        sentences = list(dict.fromkeys(_sentence(error, texts, keys) for error in errors[:_MOST_SENTENCES]))
        more = len(errors) - _MOST_SENTENCES
        raise InvalidDocumentError(sentences + ([f"and {more} more"] if more > 0 else []))
    # The API server sets the rest of the metadata, and the status.
    metadata = {name: document["metadata"][name] for name in ("name", "namespace") if name in document["metadata"]}
    try:
        job = decode_ingest_job({"metadata": metadata, "spec": document["spec"]})
    except msgspec.ValidationError as error:
        raise InvalidDocumentError([f"this is not an IngestJob: {explain_decoding_error(error)}"]) from None
    if broken := messages_of_broken_rules(job):
        raise InvalidDocumentError(broken)
    return job


def find_mistakes(document: dict[str, Any], scalar_texts: Mapping[Path, str] | None = None) -> list[str]:
    """Return a sentence for each mistake in an IngestJob document; none if it is valid."""
    try:
        decode_valid_job(document, scalar_texts)
    except InvalidDocumentError as error:
        return error.sentences
    return []


def _sentence(error: ValidationError, scalar_texts: Mapping[Path, str], key_texts: Mapping[Path, str]) -> str:
    """Return a sentence with the path of the field, its value where that is short, what is wrong, and a remedy."""
    path: Path = tuple(error.absolute_path)
    where, keyword = _path_text(path) or "the document", str(error.validator)
    if keyword == "unknownField":
        key = key_texts.get(path, path[-1])
        hint = "" if key == path[-1] else f" (YAML reads {key} as {path[-1]})"
        return f"unknown field {where}{hint}; {error.message}"
    if keyword == "x-kubernetes-list-type":
        return f"{where} {error.message}"
    if keyword == "required":
        return _missing_field_sentence(path, error)
    if keyword == "type" and error.validator_value == "string" and (path in scalar_texts or _is_boolean(error)):
        return f"{where}{_misread_text(error.instance, scalar_texts.get(path))}{_purpose(error.schema)}"
    rules = error.schema.get("x-kubernetes-validations", []) if isinstance(error.schema, dict) else []
    in_words = next((each["message"] for each in rules if each.get("rule") != _IMMUTABLE), None)
    if keyword == "pattern" and in_words:  # the rule is the pattern in words
        return f"{where}{_value_text(error.instance)}: {in_words}"
    return f"{where}{_value_text(error.instance)}: {_expectation(keyword, error)}{_purpose(error.schema)}"


def _is_boolean(error: ValidationError) -> bool:
    return isinstance(error.instance, bool)


def _misread_text(value: Any, text: str | None) -> str:
    """Return the rest of a sentence about a value that YAML has read from `text`; None if the text is not known."""
    return f": {reading_of_text(text, value)}" if text else f"{_value_text(value)}: {reading_of_boolean(value)}"


def _missing_field_sentence(path: Path, error: ValidationError) -> str:
    # The library reports each missing field as an error of its own, in the words "'spec' is a required property".
    name = error.message.split("'")[1]
    schema = error.schema if isinstance(error.schema, dict) else {}
    field = schema.get("properties", {}).get(name, {})
    start = "" if path else "this is not an IngestJob: "
    return f"{start}{_path_text((*path, name))} is missing: set it{_purpose(field)}"


def _path_text(path: Path) -> str:
    """Return a path as in the messages of the API server, such as `spec.symbols[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _value_text(value: Any) -> str:
    if value is None:
        return " is null"
    if isinstance(value, bool):
        return f" is {str(value).lower()}"
    if isinstance(value, str | int | float) and len(repr(value)) <= _LONGEST_VALUE:
        return f" is {value!r}"
    return ""


_IMMUTABLE: Final = "self == oldSelf"  # a rule that compares two documents
_TYPE_WORDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false, without quotation marks",
    "array": "a list",
    "object": "a mapping",
}
_EXPECTATIONS: Final[dict[str, Callable[[Any], str]]] = {
    "type": lambda kind: f"write {_TYPE_WORDS[kind]}",
    "enum": lambda values: f"set it to {'' if len(values) == 1 else 'one of '}{', '.join(map(str, values))}",
    "pattern": words_for_pattern,
    "minimum": lambda bound: f"set it to {bound} or more",
    "maximum": lambda bound: f"set it to {bound} or less",
    "minLength": lambda bound: f"it needs at least {amount_text(bound, 'character')}",
    "maxLength": lambda bound: f"it can have at most {amount_text(bound, 'character')}",
    "minItems": lambda bound: f"it needs at least {amount_text(bound, 'item')}",
    "maxItems": lambda bound: f"it can have at most {amount_text(bound, 'item')}",
    "maxProperties": lambda bound: f"it can have at most {amount_text(bound, 'key')}",
}


def _expectation(keyword: str, error: ValidationError) -> str:
    describe = _EXPECTATIONS.get(keyword)
    return describe(error.validator_value) if describe else "this value is not allowed"


def _purpose(schema: Any) -> str:
    """Return the description of a field in parentheses, without sentences about a cluster; empty if none is left."""
    description = str(schema.get("description", "")) if isinstance(schema, dict) else ""
    sentences = [each for each in _SENTENCE_END.split(description) if not _CLUSTER_TERM.search(each)]
    text = " ".join(sentences).rstrip(".")
    return f" ({text})" if text else ""
