"""The rules of krew for a plugin's manifest, as its validation and its developer guide state them."""

from __future__ import annotations

import re
from typing import Any

API_VERSION = "krew.googlecontainertools.github.com/v1alpha2"
_NAME = re.compile(r"[\w-]+")
_SHA256 = re.compile(r"[a-f0-9]{64}")
_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(rf"v{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_FIELDS = {"version", "homepage", "shortDescription", "description", "caveats", "platforms"}
_PLATFORM_FIELDS = {"selector", "uri", "sha256", "files", "bin"}
_MOST_WORDS = 8  # the guide: the short description should not exceed a few words


def manifest_problems(manifest: dict[str, Any], file_name: str) -> list[str]:
    """Return what krew refuses, or its guide forbids, in the manifest that is in a file of this name."""
    name, spec = manifest["metadata"]["name"], manifest["spec"]
    short = spec.get("shortDescription", "")
    rules = {
        "apiVersion": manifest["apiVersion"] == API_VERSION,
        "kind": manifest["kind"] == "Plugin",
        "fields": set(manifest) == {"apiVersion", "kind", "metadata", "spec"} and set(spec) <= _FIELDS,
        "name": bool(_NAME.fullmatch(name)) and file_name == f"{name}.yaml",
        "version": bool(_VERSION.fullmatch(spec.get("version", ""))),
        "shortDescription": bool(short) and "\n" not in short and len(short.split()) <= _MOST_WORDS,
        "description": bool(spec.get("description")),
        "platforms": bool(spec.get("platforms")),
    }
    problems = [rule for rule, is_met in rules.items() if not is_met]
    return problems + [problem for each in spec.get("platforms", ()) for problem in _platform_problems(each)]


def platforms_of(manifest: dict[str, Any], system: str, architecture: str) -> list[dict[str, Any]]:
    """Return the platforms of the manifest that match an operating system and an architecture in Go's names."""
    labels = {"os": system, "arch": architecture}
    return [each for each in manifest["spec"]["platforms"] if _selects(each["selector"], labels)]


def _platform_problems(platform: dict[str, Any]) -> list[str]:
    selector = platform.get("selector") or {}
    expressions, labels = selector.get("matchExpressions", []), selector.get("matchLabels", {})
    keys = {*labels, *(each["key"] for each in expressions)}
    rules = {
        "platform": set(platform) <= _PLATFORM_FIELDS,
        "uri": platform.get("uri", "").endswith((".tar.gz", ".zip")),
        "sha256": bool(_SHA256.fullmatch(platform.get("sha256", ""))),
        "bin": bool(platform.get("bin")),
        "files": "files" not in platform or bool(platform["files"]),
        "selector": bool(keys) and keys <= {"os", "arch"} and all(bool(part) for part in selector.values()),
    }
    return [rule for rule, is_met in rules.items() if not is_met]


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    operators = {"In": lambda value, values: value in values, "NotIn": lambda value, values: value not in values}
    return all(labels[key] == value for key, value in selector.get("matchLabels", {}).items()) and all(
        operators[each["operator"]](labels[each["key"]], each["values"])
        for each in selector.get("matchExpressions", ())
    )
