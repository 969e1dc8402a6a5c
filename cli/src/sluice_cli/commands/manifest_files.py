"""The documents of files, of folders and of the standard input, read by kubectl without the API server."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple, TextIO

from ..text.printable import printable
from ..transport import Kubectl
from .context import UsageError

_STDIN = "-"
_NOT_THERE = re.compile(r"the path \"(.*)\" does not exist|unable to read URL|unable to find one of")
# kubectl prints the documents of an edit that changes nothing.
_READ = ("annotate", "--local", "-o", "json", "sluice.dev/plan-")
_FIELD_TYPE = re.compile(r"json: cannot unmarshal (\w+) into Go struct field \w+\.([\w.]+) of type (\w+)")
_NO_KIND = re.compile(r"Object '(\w+)' is missing in .*", re.DOTALL)
_TYPES = {"bool": "a boolean", "number": "a number"}


class Manifest(NamedTuple):
    """The documents of the files, their text as far as it is known, and a sentence about each that cannot be read."""

    documents: tuple[dict[str, Any], ...]
    text: str
    unreadable: tuple[str, ...]


def read_manifest(kubectl: Kubectl, files: Sequence[str], standard_input: TextIO, *, is_recursive: bool) -> Manifest:
    """Read the documents of files, folders, URLs or `-`.

    Raises:
        UsageError: there is no such file.
    """
    if _STDIN not in files:
        return _read(kubectl, files, "".join(map(_text_of_file, files)), is_recursive=is_recursive)
    given = standard_input.read()
    # In a file: kubectl begins to write before it has read all of a long standard input.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", errors="surrogateescape") as file:
        file.write(given)
        file.flush()
        named = [file.name if each == _STDIN else each for each in files]
        found = _read(kubectl, named, given, is_recursive=is_recursive)
    return found._replace(unreadable=tuple(each.replace(file.name, "the standard input") for each in found.unreadable))


def _text_of_file(path: str) -> str:
    """Return the text of a file; empty for a folder and a URL."""
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _read(kubectl: Kubectl, files: Sequence[str], text: str, *, is_recursive: bool) -> Manifest:
    names = [f"--filename={each}" for each in files] + (["--recursive"] if is_recursive else [])
    result = kubectl.start(*_READ, *names).result()
    if missing := _NOT_THERE.search(result.errors):
        raise UsageError(f"{printable(missing[0])}: name a file, a folder, or - for the standard input with -f")
    unreadable = tuple(map(_sentence, result.errors.splitlines())) if result.status else ()
    return Manifest(tuple(_documents(result.output)), text, tuple(dict.fromkeys(unreadable)))


def _documents(output: str) -> list[dict[str, Any]]:
    """Return the objects in an output, in which one follows another."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while (start := output.find("{", position)) >= 0:
        document, position = decoder.raw_decode(output, start)
        found.append(document)
    return found


def _sentence(error: str) -> str:
    """Return an error of kubectl about a file in the words of the plugin."""
    text = printable(error)
    for each in ("error: ", "unable to decode ", "error parsing "):
        text = text[len(each) :] if text.startswith(each) else text
    text = text.replace("error converting YAML to JSON: yaml: ", "it is not YAML: ")
    text = _NO_KIND.sub(lambda found: f"a document has no {found[1].lower()}: add it", text)
    return _FIELD_TYPE.sub(_field_type_sentence, text)


def _field_type_sentence(found: re.Match[str]) -> str:
    field = re.sub(r"^ObjectMeta\.", "", found[2])
    hint = ": YAML reads words such as ON, NO and Y, and numbers, not as text; write the value in quotation marks"
    return f"{field} is {_TYPES.get(found[1], found[1])}{hint if found[3] == 'string' else f', not {found[3]}'}"
