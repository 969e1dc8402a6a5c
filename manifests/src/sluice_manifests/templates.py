"""The base's objects as Helm templates."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluice_manifests.errors import ManifestsError
from sluice_manifests.inserts import Insert, Variable, indented
from sluice_manifests.objects import Keys, Manifest, at, child, dumped
from sluice_manifests.settings import SETTINGS, SWITCHES, Setting, Switch

# Uninstalling a release must not delete the definition: all jobs would go with it.
KEEP = {"helm.sh/resource-policy": "keep"}
_MARK = "INSERT-{}-HERE"
_OPERATOR = "sluice-operator"
_MARKED = re.compile(r"^( *)(?:- (?=INSERT)|(\S+): )'?INSERT-(\d+)-HERE'?$")
_NAMESPACE_MARK = "RELEASE-NAMESPACE"


def template(manifest: Manifest, namespace: str, switches: Iterable[Switch] = SWITCHES) -> str:
    """One object as the text of a template. `namespace` is the base's own, in place of which the release's comes."""
    marked = _with_marks(_released(manifest, namespace))
    if manifest["kind"] == "CustomResourceDefinition":
        marked["metadata"]["annotations"] = {**marked["metadata"].get("annotations", {}), **KEEP}
    text = _with_inserts(dumped(marked).replace("{{", '{{ "{{" }}'))
    switch = next((each for each in switches if manifest["kind"] in each.kinds), None)
    return text if switch is None else f"{{{{- if .Values.{switch.name} }}}}\n{text}{{{{- end }}}}\n"


def _with_marks(manifest: Manifest) -> Manifest:
    marked = copy.deepcopy(manifest)
    for number, setting in enumerate(SETTINGS):
        if setting.insert is not None and _is_for(setting, manifest):
            _mark(marked, setting.path, setting.insert, _MARK.format(number))
    return marked


def _is_for(setting: Setting, manifest: Manifest) -> bool:
    return (setting.kind, _OPERATOR) == (manifest["kind"], manifest["metadata"]["name"])


def _mark(manifest: Manifest, path: Keys, insert: Insert, mark: str) -> None:
    *parents, key = path
    parent = at(manifest, tuple(parents))
    if parent is None:
        raise ManifestsError(
            f"the base's {manifest['kind']} has no {'.'.join(parents)}, which a value of the chart sets"
        )
    if not isinstance(insert, Variable):
        parent[key] = mark
    elif (existing := child(parent, key)) is None:
        parent.append(mark)
    else:
        parent[parent.index(existing)] = mark


def _with_inserts(text: str) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        found = _MARKED.match(line)
        insert = SETTINGS[int(found[3])].insert if found else None
        if found is None or insert is None:
            lines.append(_with_namespace(line))
        else:
            lines += indented(insert, found[2], len(found[1]))
    return "\n".join(lines) + "\n"


def _with_namespace(line: str) -> str:
    # Quoted where it stands alone: a namespace may be called 123.
    quoted = re.sub(rf"(?<=[:-] ){_NAMESPACE_MARK}$", "{{ .Release.Namespace | quote }}", line)
    return quoted.replace(_NAMESPACE_MARK, "{{ .Release.Namespace }}")


def _released(node: Any, namespace: str, key: str = "") -> Any:
    """The same with the release's namespace, wherever the base's is named by another key than `name`."""
    if isinstance(node, Mapping):
        return {each: _released(value, namespace, each) for each, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_released(each, namespace, key) for each in node]
    if isinstance(node, str) and key != "name":
        return re.sub(rf"(?<![\w.-]){re.escape(namespace)}(?![\w.-])", _NAMESPACE_MARK, node)
    return node


def defaults(objects: Sequence[Manifest], settings: Iterable[Setting] = SETTINGS) -> dict[str, Any]:
    """The default of every setting, by its dotted name: what the base has."""
    found: dict[str, Any] = {}
    for setting in settings:
        existing = next((each for each in objects if setting.path and _is_for(setting, each)), None)
        value = at(existing, setting.path) if existing else None
        if isinstance(setting.insert, Variable) and value is not None:
            value = value["value"].split(",") if setting.insert.joined else value["value"]
        found[setting.name] = setting.empty if value is None else setting.read(value)
    return found


def used_switches(objects: Iterable[Manifest]) -> list[Switch]:
    """The switches for which the base has something to switch."""
    kinds = {each["kind"] for each in objects}
    return [switch for switch in SWITCHES if kinds & set(switch.kinds)]
