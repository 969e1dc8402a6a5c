"""The runtime names no provider outside providers/, and the registry alone names their modules there.

Identifiers and strings are read, docstrings included, and so are the names of the modules.
"""

from __future__ import annotations

import ast
from pathlib import Path

from support.vendor_names import PROVIDERS, names_a_provider, texts_in

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "runtime/src/sluice_runtime"
FOLDER = RUNTIME / "providers"


def provider_names(path: Path) -> list[str]:
    """Return each identifier and string of a module that names a provider."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [text for node in nodes for text in texts_in(node) if names_a_provider(text)]


def of_one_provider(path: Path) -> bool:
    """Return whether a path below providers/ is the folder or the module of one provider."""
    return path.relative_to(FOLDER).parts[0].removesuffix(".py") in PROVIDERS


def test_no_module_outside_of_providers_names_one() -> None:
    modules = [path for path in RUNTIME.rglob("*.py") if FOLDER not in path.parents]
    found = {str(path.relative_to(ROOT)): provider_names(path) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}
    assert [path.name for path in modules if names_a_provider(path.stem)] == []


def test_the_folder_of_a_provider_names_no_other() -> None:
    modules = [path for path in FOLDER.rglob("*.py") if of_one_provider(path)]
    others = {
        str(path.relative_to(FOLDER)): sorted(
            other
            for other in PROVIDERS - {path.relative_to(FOLDER).parts[0].removesuffix(".py")}
            if any(f".providers.{other}" in f".providers{text}" for text in imported_modules(path))
        )
        for path in modules
    }
    assert {path: names for path, names in others.items() if names} == {}


def imported_modules(path: Path) -> list[str]:
    """Return the modules that a module imports from its own package and from those above, such as `..local`."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [f".{node.module}" for node in nodes if isinstance(node, ast.ImportFrom) and node.level and node.module]


def test_only_the_registry_names_the_modules_of_all_providers() -> None:
    shared = [path for path in FOLDER.glob("*.py") if not of_one_provider(path)]
    found = {path.name: set(provider_names(path)) & PROVIDERS for path in shared}
    assert found.pop("registry.py") == PROVIDERS
    assert found.pop("simulated_quotes.py") == {"synthetic"}  # the name of the source, unless another is given
    assert {name: names for name, names in found.items() if names} == {}
