"""kubectl sluice runs with any Python from 3.9 on, without a package, as one file."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deadlines import scaled

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted([*(ROOT / "cli/src").rglob("*.py"), *(ROOT / "cli/tools").rglob("*.py")])
OLDEST = (3, 9)
# Names of the standard library that came after Python 3.9, as far as one is tempted to use them.
NEWER_NAMES = {
    "ExceptionGroup", "TaskGroup", "StrEnum", "Self", "TypeAlias", "assert_never", "batched", "chdir", "pairwise",
    "override", "tomllib", "UTC", "aiter", "anext", "bit_count", "file_digest", "stdlib_module_names",
}  # fmt: skip
NEWER_ARGUMENTS = {"strict", "slots", "kw_only", "root_dir"}


def imported_packages(tree: ast.Module) -> Iterator[str]:
    """Yield the package of each absolute import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


def newer_features(tree: ast.Module) -> Iterator[str]:
    """Yield the names and arguments that Python 3.9 does not have."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(level=0, names=names):
                yield from (each.name for each in names if each.name in NEWER_NAMES)
            case ast.Attribute(value=ast.Name(), attr=name) if name in NEWER_NAMES:
                yield name
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.BinOp()]):
                yield "a union in isinstance"
            case ast.Call(keywords=keywords):
                yield from (each.arg for each in keywords if each.arg in NEWER_ARGUMENTS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT / "cli")))
def test_a_module_needs_only_the_standard_library_of_python_3_9(module: Path) -> None:
    tree = ast.parse(module.read_text(), feature_version=OLDEST)
    allowed = sys.stdlib_module_names | ({"sluice_cli"} if "tools" in module.parts else set())
    assert set(imported_packages(tree)) - allowed == set()
    assert list(newer_features(tree)) == []
    if any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
        assert "from __future__ import annotations" in module.read_text()


@pytest.mark.parametrize(
    "source",
    ["from datetime import UTC", "datetime.UTC", "zip(a, b, strict=True)", "isinstance(x, int | str)"],
)
def test_a_newer_feature_is_found(source: str) -> None:
    assert list(newer_features(ast.parse(source))) != []


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the plugin as `make plugin` does."""
    folder = tmp_path_factory.mktemp("plugin")
    command = [sys.executable, "-IS", str(ROOT / "cli/tools/build_plugin.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=scaled(60))
    return folder / "kubectl-sluice"


def test_the_one_file_runs_without_site_packages(plugin: Path) -> None:
    assert plugin.read_bytes().startswith(b"#!/usr/bin/env -S python3 -IS\n")
    command = [sys.executable, "-IS", str(plugin), "version", "--client"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=scaled(60))
    assert done.stdout.splitlines()[1] == "API       sluice.dev/v1alpha1"


def test_the_same_sources_give_the_same_file(plugin: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-IS", str(ROOT / "cli/tools/build_plugin.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=scaled(60))
    assert (tmp_path / "kubectl-sluice").read_bytes() == plugin.read_bytes()


def test_the_completion_is_an_executable_beside_it(plugin: Path) -> None:
    script = plugin.with_name("kubectl_complete-sluice")
    assert script.stat().st_mode & 0o111
    assert script.read_text().startswith("#!/bin/sh\n")
