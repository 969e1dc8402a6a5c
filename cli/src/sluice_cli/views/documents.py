"""The JSON and YAML of the plugin, with a version of its own: `cli.sluice.dev/v1`."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from ..text.instants import UTC

API_VERSION = "cli.sluice.dev/v1"
_PLAIN = r"[A-Za-z][A-Za-z0-9_./-]*"  # compiled at its first use
# Words that readers of YAML take for something other than text.
_SPECIAL = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}


def document(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return a document of a kind. Its content may have the values of the model."""
    return {"apiVersion": API_VERSION, "kind": kind, **plain_fields(content)}


def plain_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields in camelCase and in types of JSON, without those that are absent or empty texts."""
    plain = {_camel_case(name): _plain_value(value) for name, value in fields.items()}
    return {name: value for name, value in plain.items() if value is not None and value != ""}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if hasattr(value, "_asdict"):
        return plain_fields(value._asdict())
    if isinstance(value, dict):
        return {name: _plain_value(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(each) for each in value]
    return value


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    if first in ("is", "has") and others:
        first, *others = others
    return first + "".join(each.capitalize() for each in others)


def formatted(output: str, value: Any) -> str:
    """Return a value of JSON's types in the format of the option `-o`: `json`, otherwise YAML."""
    return json_text(value) if output == "json" else yaml_text(value)


def json_text(value: Any) -> str:
    """Return the value as JSON for people and programs."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def yaml_text(value: Any) -> str:
    """Return a value of JSON's types as YAML."""
    return "\n".join(_yaml_lines(value))


def _yaml_lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for name, each in value.items() for line in _field_lines(_scalar(name), each)]
    if isinstance(value, list) and value:
        return [line for each in value for line in _item_lines(each)]
    return [_scalar(value)]


def _field_lines(name: str, value: Any) -> list[str]:
    if isinstance(value, (dict, list)) and value:
        indent = "  " if isinstance(value, dict) else ""
        return [f"{name}:", *(indent + line for line in _yaml_lines(value))]
    return [f"{name}: {_scalar(value)}"]


def _item_lines(value: Any) -> list[str]:
    first, *others = _yaml_lines(value)
    return [f"- {first}", *(f"  {line}" for line in others)]


def _scalar(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(_PLAIN, value) and value.lower() not in _SPECIAL:
        return value
    return json.dumps(value, ensure_ascii=False)
