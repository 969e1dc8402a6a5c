"""Argo CD's customizations, run in a real Lua interpreter: Lua 5.1, with those libraries that Argo CD loads.

Argo CD's interpreter (gopher-lua) implements Lua 5.1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml
from lupa import lua51

FILE: Final = Path(__file__).resolve().parents[2] / "manifests/gitops/argocd/argocd-cm.yaml"
DATA: Final[dict[str, str]] = yaml.safe_load(FILE.read_text())["data"]

# The module os has two functions and is no global. Strings have no methods, because the library string is not loaded.
_SANDBOX: Final = """
local modules = {os = {time = os.time, date = os.date}}
require = function(name) return modules[name] or error("module " .. name .. " not found") end
debug.setmetatable("", nil)
for _, name in ipairs({
  "coroutine", "debug", "dofile", "io", "load", "loadfile", "loadstring", "math", "module", "newproxy", "os", "package",
  "python", "string",
}) do _G[name] = nil end
"""

Object = dict[str, Any]


def health(found: Object) -> tuple[str, str]:
    """Return the health that Argo CD shows for an object, and its message."""
    result = _run(DATA[f"resource.customizations.health.sluice.dev_{found['kind']}"], found)
    return result["status"], result.get("message", "")


def enabled_actions(found: Object) -> set[str]:
    """Return the actions that Argo CD offers for an object."""
    result = _run(_actions(found["kind"])["discovery.lua"], found)
    return {name for name, options in result.items() if not options["disabled"]}


def action_patch(found: Object, action: str) -> dict[str, Any]:
    """Return the merge patch that Argo CD sends for an action: the difference between the object and the result."""
    [script] = [each["action.lua"] for each in _actions(found["kind"])["definitions"] if each["name"] == action]
    return _merge_patch(found, _with_empty_values_of(_run(script, found), found))


def _actions(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DATA[f"resource.customizations.actions.sluice.dev_{kind}"])
    return found


def _run(script: str, found: Object) -> Any:
    lua = lua51.LuaRuntime(register_eval=False)
    lua.execute(_SANDBOX)
    lua.globals().obj = _to_lua(lua, json.loads(json.dumps(found)))
    return _from_lua(lua.execute(script))


def _to_lua(lua: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({name: _to_lua(lua, each) for name, each in value.items() if each is not None})
    if isinstance(value, list):
        return lua.table_from([_to_lua(lua, each) for each in value])
    return value


def _from_lua(value: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    items = dict(value.items())
    if all(isinstance(name, int) for name in items):  # an empty table too
        return [_from_lua(items[number]) for number in sorted(items)]
    return {name: _from_lua(each) for name, each in items.items()}


def _with_empty_values_of(value: Any, before: Any) -> Any:
    """Return the value with the earlier object wherever it is empty now, as Argo CD does (cleanReturnedObj).

    Lua has one type for objects and lists, so an empty object comes back as an empty list.
    """
    if value == [] and isinstance(before, dict):
        return before
    if isinstance(value, dict) and isinstance(before, dict):
        return {name: _with_empty_values_of(each, before.get(name)) for name, each in value.items()}
    return value


def _merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(name), dict):
            if below := _merge_patch(before[name], value):
                patch[name] = below
        elif name not in before or before[name] != value:
            patch[name] = value
    return patch
