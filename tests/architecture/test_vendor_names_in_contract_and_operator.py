"""The operator names no provider, and the contract only in the provider's module, in the enum and in the spec's fields.

Identifiers and strings are read, docstrings included, and so are the names of the modules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.vendor_names import PROVIDERS, names_a_provider, texts_in

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "crds/src/sluice_contract"
OPERATOR = ROOT / "operator/src/sluice_operator"


def is_declaration(node: ast.AST) -> bool:
    """Return whether a node of spec.py declares a provider: its import, the enum, or the field of its name."""
    match node:
        case ast.ImportFrom(module=module, level=1):
            return module in PROVIDERS
        case ast.Assign(targets=[ast.Name(id="Provider")]):
            return True
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name in PROVIDERS
    return False


def nodes_below(node: ast.AST, *, without_declarations: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (without_declarations and is_declaration(child)):
            yield child
            yield from nodes_below(child, without_declarations=without_declarations)


def provider_names(source: str, *, without_declarations: bool = False) -> list[str]:
    """Return each identifier and string of a source text that names a provider."""
    nodes = nodes_below(ast.parse(source), without_declarations=without_declarations)
    return [text for node in nodes for text in texts_in(node) if names_a_provider(text)]


def modules() -> list[Path]:
    """Return the modules of the operator, and those of the contract that are not the module of a provider."""
    contract = [path for path in CONTRACT.rglob("*.py") if path.stem not in PROVIDERS]
    return sorted([*OPERATOR.rglob("*.py"), *contract])


def test_the_operator_and_the_common_part_of_the_contract_name_no_provider() -> None:
    found = {
        str(path.relative_to(ROOT)): provider_names(path.read_text(), without_declarations=path == CONTRACT / "spec.py")
        for path in modules()
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_no_module_of_the_operator_is_named_after_a_provider() -> None:
    assert [path.name for path in OPERATOR.rglob("*") if names_a_provider(path.stem)] == []


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_each_provider_has_a_module_in_the_contract(provider: str) -> None:
    assert (CONTRACT / f"{provider}.py").is_file()


@pytest.mark.parametrize(
    "source",
    [
        "spec.alpaca",
        "def alpaca_urls(): ...",
        "class IBKRSettings: ...",
        "def f(ibkr): ...",
        "f(alpaca=1)",
        "from x.alpaca import y",
        "import alpaca as client",
        'x = "spec.ibkr.host"',
        'x = f"Connect to TWS at {host}"',
        '"""An IB Gateway."""',
        'spec.provider == "replay"',
        "spec.replay",
        'x = "unknown provider synthetic"',
        'x = "set spec.replay.tape"',
        "match x:\n  case Spec(ibkr=a): ...",
    ],
)
def test_a_name_is_found(source: str) -> None:
    assert provider_names(source) != []


@pytest.mark.parametrize(
    "source", ["REPLAY_FINISHED", 'x = "The end of a replay"', "# Alpaca", "news = networks", 'x = "history"']
)
def test_other_words_are_no_names(source: str) -> None:
    assert provider_names(source) == []


def test_only_the_declarations_of_the_spec_may_name_a_provider() -> None:
    declared = 'from .ibkr import IBKRSettings\nProvider = Literal["ibkr"]\nclass S:\n  ibkr: IBKRSettings = None\n'
    assert provider_names(declared, without_declarations=True) == []
    assert provider_names(declared + "  x = S().ibkr\n", without_declarations=True) == ["ibkr"]
