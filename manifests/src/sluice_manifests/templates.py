"""The objects of manifests/base and of components as Helm templates."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import Keys, Manifest, dump_yaml, value_at_key, value_at_path
from sluice_manifests.settings import SETTINGS, ChartSetting
from sluice_manifests.switches import KIND_SWITCHES, ComponentSwitch, KindSwitch
from sluice_manifests.template_inserts import FieldWithoutValue, OptionalVariable, TemplateInsert, indented_lines

# Uninstalling a release must not delete the CRD, because all jobs would be deleted with it.
KEEP = {"helm.sh/resource-policy": "keep"}
_MARK = "INSERT-{}-HERE"
_OPERATOR = "sluice-operator"
_MARKED = re.compile(r"^( *)(?:- (?=INSERT)|(\S+): )'?INSERT-(\d+)-HERE'?$")
_NAMESPACE_MARK = "RELEASE-NAMESPACE"


def helm_template(manifest: Manifest, namespace: str, switch: KindSwitch | ComponentSwitch | None) -> str:
    """Return an object as a Helm template, which is empty while the value of its switch is false.

    The namespace of the release replaces each use of `namespace`.
    """
    marked, inserts = _with_insert_marks(_with_namespace_marks(manifest, namespace))
    if manifest["kind"] == "CustomResourceDefinition":
        marked["metadata"]["annotations"] = {**marked["metadata"].get("annotations", {}), **KEEP}
    text = _with_marks_replaced(dump_yaml(marked).replace("{{", '{{ "{{" }}'), inserts)
    return text if switch is None else f"{{{{- if .Values.{switch.name} }}}}\n{text}{{{{- end }}}}\n"


def _with_insert_marks(manifest: Manifest) -> tuple[Manifest, list[TemplateInsert]]:
    """Return a copy of the object with a mark at each place of an insert, and the inserts by the marks' numbers."""
    marked = copy.deepcopy(manifest)
    inserts: list[TemplateInsert] = []
    for setting in SETTINGS:
        if not _is_setting_of(setting, manifest):
            continue
        placed = [] if setting.insert is None else [(setting.path, setting.insert)]
        for path, insert in (*placed, *_inserts_of_replaced_fields(setting, manifest)):
            _put_mark(marked, path, insert, _MARK.format(len(inserts)))
            inserts.append(insert)
    return marked, inserts


def _inserts_of_replaced_fields(setting: ChartSetting, manifest: Manifest) -> list[tuple[Keys, TemplateInsert]]:
    """Return the path and the insert of each field that the object has and that the setting replaces."""
    scalars = ((path, value_at_path(manifest, path)) for path in setting.replaced_fields)
    return [(path, FieldWithoutValue(setting.name, json.dumps(each))) for path, each in scalars if each is not None]


def _is_setting_of(setting: ChartSetting, manifest: Manifest) -> bool:
    """Return whether the setting changes this object: it has the setting's kind and is named sluice-operator."""
    return (setting.kind, _OPERATOR) == (manifest["kind"], manifest["metadata"]["name"])


def _put_mark(manifest: Manifest, path: Keys, insert: TemplateInsert, mark: str) -> None:
    *parents, key = path
    parent = value_at_path(manifest, tuple(parents))
    if parent is None:
        raise ManifestsError(
            f"the base's {manifest['kind']} has no {'.'.join(parents)}, which a value of the chart sets: add it"
        )
    if not isinstance(insert, OptionalVariable):
        parent[key] = mark
    elif (existing := value_at_key(parent, key)) is None:
        parent.append(mark)
    else:
        parent[parent.index(existing)] = mark


def _with_marks_replaced(text: str, inserts: Sequence[TemplateInsert]) -> str:
    """Return the YAML with each insert mark and each namespace mark replaced by Helm template text."""
    lines: list[str] = []
    for line in text.splitlines():
        found = _MARKED.match(line)
        if found is None:
            lines.append(_with_namespace_expression(line))
        else:
            lines += indented_lines(inserts[int(found[3])], found[2], len(found[1]))
    return "\n".join(lines) + "\n"


def _with_namespace_expression(line: str) -> str:
    # A value that is only the namespace is quoted, because a namespace can have a name like 123.
    quoted = re.sub(rf"(?<=[:-] ){_NAMESPACE_MARK}$", "{{ .Release.Namespace | quote }}", line)
    return quoted.replace(_NAMESPACE_MARK, "{{ .Release.Namespace }}")


def _with_namespace_marks(node: Any, namespace: str, key: str = "") -> Any:
    """Return the YAML node with a mark instead of the namespace. Values of the key `name` are not changed."""
    if isinstance(node, Mapping):
        return {each: _with_namespace_marks(value, namespace, each) for each, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_with_namespace_marks(each, namespace, key) for each in node]
    if isinstance(node, str) and key != "name":
        return re.sub(rf"(?<![\w.-]){re.escape(namespace)}(?![\w.-])", _NAMESPACE_MARK, node)
    return node


def default_values(objects: Sequence[Manifest], settings: Iterable[ChartSetting] = SETTINGS) -> dict[str, Any]:
    """Return the default of each setting, by its dotted name: the value in the objects, or else `setting.empty`."""
    found: dict[str, Any] = {}
    for setting in settings:
        existing = next((each for each in objects if setting.path and _is_setting_of(setting, each)), None)
        value = value_at_path(existing, setting.path) if existing else None
        if isinstance(setting.insert, OptionalVariable) and value is not None:
            value = value["value"].split(",") if setting.insert.joined else value["value"]
        found[setting.name] = setting.empty if value is None else setting.default_from_base(value)
    return found


def switches_with_objects(objects: Iterable[Manifest]) -> list[KindSwitch]:
    """Return the switches of kinds that apply to at least one of the objects."""
    kinds = {each["kind"] for each in objects}
    return [switch for switch in KIND_SWITCHES if kinds & set(switch.kinds)]
