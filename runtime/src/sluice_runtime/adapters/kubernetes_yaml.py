"""YAML as kubectl and the API server read it.

Both use sigs.k8s.io/yaml. It reads some unquoted scalars differently from PyYAML's own loaders: `y` and `N` are
booleans, `1e3` is a number, `1:30` and `2026-11-28` are strings. So PyYAML only parses here, and this module reads the
scalars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import yaml

Path = tuple[str | int, ...]

# libyaml and PyYAML are recursive: a deeper document could end the process.
_MAX_DEPTH: Final = 100
# Aliases can make a small document expand without bound. The largest valid job has about 20,000 values.
_MAX_VALUES: Final = 200_000

_PLAIN: Final = "plain"  # the tag of an unquoted scalar without a tag of its own
_STANDARD: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = {f"{_STANDARD}{name}" for name in ("str", "timestamp")}
_VALUE_TAGS: Final = {_PLAIN, *(f"{_STANDARD}{name}" for name in ("bool", "int", "float", "null"))}
_COLLECTION_TAGS: Final = {f"{_STANDARD}{name}" for name in ("map", "seq")}

_BOOLEANS: Final = {
    spelling: value
    for value, words in ((True, ("y", "yes", "on", "true")), (False, ("n", "no", "off", "false")))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
_NULLS: Final = {"", "~", "null", "Null", "NULL"}
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER: Final = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_INTEGER: Final = 2**64
_UNQUOTED: Final = re.compile(r"\d|[-+.]\d")  # only such a scalar can be a number


class YamlError(ValueError):
    """A text is not YAML that Kubernetes can read. The message is a clause that names the line."""


class YamlDocument(msgspec.Struct, frozen=True):
    """One document of a YAML text.

    `value` has only the types of JSON. `scalar_texts` has the text of each unquoted scalar that is not a string, by its
    path, and `key_texts` the text of each key that YAML does not read as a string.
    """

    value: Any
    scalar_texts: dict[Path, str]
    key_texts: dict[Path, str]


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]  # PyYAML chooses at run time
    """PyYAML's parser, which marks unquoted scalars instead of reading them."""

    def resolve(self, kind: type, value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        tag: str = super().resolve(kind, value, implicit)
        return tag


_INDENTATION = "the indentation is wrong, or text follows a closing quotation mark or bracket; correct the line"
# What the parser's own terms mean for the author of the text.
_PROBLEM_WORDS = (
    ("',' or ']'", "a list in [ ] is not closed, or a comma is missing in it; add it"),
    ("',' or '}'", "a mapping in { } is not closed, or a comma is missing in it; add it"),
    (
        "mapping values are not allowed",
        "there is a second colon on this line, or the line is indented too far; put a value with a colon in quotation "
        "marks, or correct the indentation",
    ),
    ("unexpected end of stream", "a quotation mark is not closed; close it"),
    ("undefined alias", "* refers to an anchor that does not exist; put the value in quotation marks"),
    ("duplicate anchor", "an anchor is defined twice; rename one of them"),
    ("cannot start any token", "a value cannot start with this character; put it in quotation marks"),
    ("node content", "a value cannot start with this character; put it in quotation marks"),
    ("alphabetic or numeric", "a value that starts with & or * needs quotation marks; add them"),
    ("expected ':'", "a colon is missing after a key, or the indentation is wrong; correct the line"),
    ("escape", "a backslash in double quotation marks starts an unknown escape; write it twice"),
    ("decimal number", "a backslash in double quotation marks starts an unknown escape; write it twice"),
    ("expected key", _INDENTATION),
    ("expected '-'", _INDENTATION),
    ("document start", _INDENTATION),
    ("block sequence", _INDENTATION),
)
_UNKNOWN_PROBLEM = "this is not YAML; check the indentation and the quotation marks"


def parse_yaml(text: str) -> list[YamlDocument]:
    """Return the documents of a YAML text, without the empty ones.

    Raises:
        YamlError: the text is not YAML, or Kubernetes cannot read it: for example, a key occurs twice in one mapping.
    """
    try:
        _refuse_deep_nesting(text)
        found = [_DocumentBuilder().document(node) for node in yaml.compose_all(text, _Loader)]
    except yaml.MarkedYAMLError as error:
        raise YamlError(_syntax_problem(error, text)) from None
    except yaml.YAMLError:  # the reader's error about characters
        raise YamlError("it contains a control character; remove it") from None
    return [each for each in found if each.value is not None]


def _refuse_deep_nesting(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise YamlError(f"it is nested deeper than {_MAX_DEPTH} levels; write fewer levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    at = min(mark.line, text.rstrip("\n").count("\n")) if mark else 0  # at the end, the mark is beyond the last line
    where = f"line {at + 1}: " if mark else ""
    lines = text.split("\n")
    nearby = lines[max(0, at - 1) : at + 1]
    has_tab = any("\t" in line[: len(line) - len(line.lstrip())] for line in nearby)
    if has_tab:
        return f"{where}a tab cannot indent YAML: use spaces"
    found = str(error.problem or error.context or "")
    return where + next((words for term, words in _PROBLEM_WORDS if term in found), _UNKNOWN_PROBLEM)


class _DocumentBuilder:
    """Builds the value of one document from the nodes of PyYAML."""

    def __init__(self) -> None:
        self._scalar_texts: dict[Path, str] = {}
        self._key_texts: dict[Path, str] = {}
        self._open_nodes: set[int] = set()
        self._count = 0

    def document(self, node: yaml.Node) -> YamlDocument:
        return YamlDocument(self._value(node, ()), self._scalar_texts, self._key_texts)

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if self._count > _MAX_VALUES:
            raise YamlError(f"it has more than {_MAX_VALUES:,} values, with its aliases written out")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _COLLECTION_TAGS:
            raise YamlError(f"{_line(node)}: the tag {_tag_name(node)} is not supported; remove it")
        if id(node) in self._open_nodes:
            raise YamlError(f"{_line(node)}: the anchor of this value is used inside the value itself")
        self._open_nodes.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            value: Any = [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        else:
            value = self._mapping(node, path)
        self._open_nodes.remove(id(node))
        return value

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        value = _scalar_value(node)
        if not isinstance(value, str):
            self._scalar_texts[path] = node.value
        return value

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                for source in _mappings_to_merge(value_node):
                    merged = self._value(source, path) | merged
                continue
            key = self._key(key_node, path)
            if key in own:
                raise YamlError(
                    f"{_line(key_node)}: the key {key} occurs twice in one mapping; remove one of them "
                    "(otherwise only the last one would count)"
                )
            own[key] = self._value(value_node, (*path, key))
        return merged | own

    def _key(self, node: yaml.Node, path: Path) -> str:
        value = _scalar_value(node) if isinstance(node, yaml.ScalarNode) else None
        if value is None:
            raise YamlError(f"{_line(node)}: a key must be a string; write it in quotation marks")
        if isinstance(value, str):
            return value
        key: str = msgspec.json.encode(value).decode()
        self._key_texts[(*path, key)] = node.value
        return key


def _mappings_to_merge(node: yaml.Node) -> Iterator[yaml.Node]:
    for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if not isinstance(each, yaml.MappingNode):
            raise YamlError(f"{_line(node)}: << needs an alias of a mapping, or a list of such aliases")
        yield each


def _scalar_value(node: yaml.ScalarNode) -> str | bool | int | float | None:
    """Return the value of a scalar.

    Raises:
        YamlError: the scalar has a tag that is not supported, or is a number that JSON does not have.
    """
    if node.tag in _TEXT_TAGS:
        text: str = node.value
        return text
    if node.tag not in _VALUE_TAGS:
        raise YamlError(f"{_line(node)}: the tag {_tag_name(node)} is not supported; remove it")
    if _NOT_FINITE.fullmatch(node.value):
        raise YamlError(f"{_line(node)}: YAML reads {node.value} as a number that is not finite; write another value")
    return read_plain_scalar(node.value)


def read_plain_scalar(text: str) -> str | bool | int | float | None:
    """Return the value of an unquoted scalar, as sigs.k8s.io/yaml reads it. A whole number is always an int."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _UNQUOTED.match(text):
        return text
    digits = text.replace("_", "")
    if (whole := _INTEGER.fullmatch(digits)) and (number := _integer(*whole.groups())) < _MAX_INTEGER:
        return number
    if _FLOAT.fullmatch(digits):
        value = float(digits)
        # JSON has one kind of number: a whole one is written without a fraction.
        return int(value) if value.is_integer() and abs(value) < _MAX_INTEGER else value
    return text


def _integer(sign: str, digits: str) -> int:
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return (-1 if sign == "-" else 1) * (int(digits, 8) if is_octal else int(digits, 0))


def _line(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _tag_name(node: yaml.Node) -> str:
    tag: str = node.tag
    return f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag
