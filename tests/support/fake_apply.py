"""What kubectl does with files in the plugin's unit tests: reading them, and applying their documents in a dry run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from sluice_cli.transport import Result

Object = dict[str, Any]


def read_files(arguments: list[str]) -> Result:
    """Answer `kubectl annotate --local` with the documents of the files, one after the other."""
    names = [each.partition("=")[2] for each in arguments if each.startswith("--filename=")]
    missing = [each for each in names if not Path(each).exists()]
    if missing:
        return Result(1, "", f'error: the path "{missing[0]}" does not exist')
    found = []
    for name in names:
        try:
            found += [each for each in yaml.safe_load_all(Path(name).read_text()) if each]
        except yaml.YAMLError:
            return Result(
                1, "", f"error: error parsing {name}: error converting YAML to JSON: yaml: line 1: did not find"
            )
    return Result(0, "\n".join(json.dumps(each, indent=4) for each in found), "")


def parse_documents(text: str) -> list[Object]:
    """Return the JSON documents in a text, one in each line."""
    return [json.loads(each) for each in text.splitlines()]


def dry_run(documents: list[Object], jobs: list[Object]) -> Result:
    """Return the objects that an apply of the documents would store, if these jobs exist."""
    live = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in jobs}
    found = [applied(live.get((each["metadata"]["namespace"], each["metadata"]["name"])), each) for each in documents]
    return Result(0, json.dumps({"kind": "List", "items": found} if len(found) > 1 else found[0]), "")


def applied(live: Object | None, document: Object) -> Object:
    """Return the object that an apply would store: the live one with the fields of the document."""
    stored = copy.deepcopy(live) if live is not None else {"kind": document["kind"], "metadata": {}, "spec": {}}
    stored["metadata"] |= document["metadata"]
    stored["spec"] |= document["spec"]
    return stored
