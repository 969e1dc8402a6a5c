"""The files for k9s: their form, and the columns, paths and variables that they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_contract import identity
from sluice_contract.kinds import KINDS, ResourceKind
from sluice_contract.schema import field_rows, open_api_schema

FOLDER = Path(__file__).parents[3] / "manifests/samples/k9s"
PLUGINS: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "plugins.yaml").read_text())["plugins"]
VIEWS: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "views.yaml").read_text())["views"]
# Of k9s v0.50.16: the form of a column (internal/render/cust_col.go), and the keys that every table or k9s itself uses.
COLUMN = re.compile(r"^([\w\s%/-]+):?([\w\W]*?)\|?([NTWSLRH]{0,3})$")
KEYS_OF_K9S = {"Shift-N", "Shift-A", "Shift-P", "Shift-S", "Ctrl-P"}
FIELDS = {"shortCut", "description", "scopes", "confirm", "dangerous", "command", "args"}


def view_name(kind: ResourceKind) -> str:
    return f"{identity.API_VERSION}/{kind.plural}"


def test_there_is_a_view_for_each_kind() -> None:
    assert set(VIEWS) == {view_name(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_column_of_a_view_exists(kind: ResourceKind) -> None:
    view = VIEWS[view_name(kind)]
    printed = {column.name.upper() for column in kind.columns} | {"NAME"}
    printed |= {"NAMESPACE"} if kind.is_namespaced else set()
    fields = {path for path, _, _ in field_rows(open_api_schema(kind))}
    names = []
    for text in view["columns"]:
        found = COLUMN.match(text)
        assert found is not None, text
        name, path, _ = found.groups()
        names.append(name)
        if path:
            assert re.sub(r"\[\?\(.*?\)\]", "[]", path).removeprefix(".") in fields
        else:
            assert name in printed
    assert view["sortColumn"].rpartition(":")[0] in names
    assert view["sortColumn"].endswith((":asc", ":desc"))


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_has_the_fields_of_k9s_and_a_key_of_its_own(name: str) -> None:
    plugin = PLUGINS[name]
    assert plugin.keys() <= FIELDS
    assert plugin["scopes"] == [identity.PLURAL]
    assert plugin["shortCut"] not in KEYS_OF_K9S
    assert [each["shortCut"] for each in PLUGINS.values()].count(plugin["shortCut"]) == 1


@pytest.mark.parametrize("name", ["sluice-pause", "sluice-resume"])
def test_a_plugin_that_changes_something_asks_first_and_is_off_in_read_only_mode(name: str) -> None:
    assert PLUGINS[name]["confirm"]
    assert PLUGINS[name]["dangerous"]


@pytest.mark.parametrize("name", PLUGINS)
def test_the_shell_gets_names_only_as_arguments(name: str) -> None:
    flag, script, *arguments = PLUGINS[name]["args"]
    assert flag == "-c"
    assert arguments == [name, "$CONTEXT", "$NAMESPACE", "$NAME"]
    assert not re.search(r"\$\{?[A-Z]", script)  # k9s would replace it in the text of the script


def test_only_commands_of_today_are_used() -> None:
    scripts = " ".join(plugin["args"][1] for plugin in PLUGINS.values())
    assert "kubectl sluice" not in scripts
