"""Each piece of the runtime's state has one owner: only the class that defines an attribute assigns it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "runtime/src/sluice_runtime"
STATE = RUNTIME / "state"
# Whatever the loops, the wiring and the state itself assign is their own.
FOLDERS = ("loops", "state", "aio")
# It changes a logger of the standard library, which has no method for that.
EXCEPT = {"logs.py"}
COLLECTIONS = ("deque", "defaultdict", "dict", "list", "set")


def targets(tree: ast.Module) -> Iterator[ast.Attribute]:
    """Yield the attributes that a module assigns or deletes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node


def is_own(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id in ("self", "cls")


def foreign_assignments(tree: ast.Module) -> list[str]:
    """Return the assignments to attributes of other objects, also by `setattr`."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    by_name = [f"line {each.lineno}: {ast.unparse(each)}" for each in calls if ast.unparse(each.func) == "setattr"]
    found = [f"line {each.lineno}: {ast.unparse(each)}" for each in targets(tree) if not is_own(each)]
    return [*found, *by_name]


def attributes_of_state() -> set[str]:
    """Return the names of all public attributes of the classes in `state/`."""
    trees = (ast.parse(module.read_text()) for module in STATE.glob("*.py"))
    return {each.attr for tree in trees for each in targets(tree) if is_own(each) and not each.attr.startswith("_")}


def public_collections(tree: ast.Module) -> list[str]:
    """Return the public attributes that others could change although they assign nothing: sets, dicts and lists."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Attribute) and not target.attr.startswith("_") and is_collection(node):
                found.append(target.attr)
    return found


def is_collection(node: ast.AnnAssign | ast.Assign) -> bool:
    declared = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""
    value = node.value
    called = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    is_display = isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)
    return is_display or any(text.split("[")[0] in COLLECTIONS for text in (declared, called))


def modules() -> list[Path]:
    folders = [module for folder in FOLDERS for module in (RUNTIME / folder).glob("*.py")]
    return sorted(module for module in (*folders, *RUNTIME.glob("*.py")) if name(module) not in EXCEPT)


def name(module: Path) -> str:
    return str(module.relative_to(RUNTIME))


@pytest.mark.parametrize("module", modules(), ids=name)
def test_a_module_assigns_only_attributes_of_its_own_objects(module: Path) -> None:
    assert foreign_assignments(ast.parse(module.read_text())) == []


def test_attributes_of_the_state_are_assigned_in_their_own_module_only() -> None:
    names = attributes_of_state()
    assert {"state", "ledger", "last_write_at", "summary"} <= names
    found = [
        f"{name(module)}: {ast.unparse(each)}"
        for module in RUNTIME.rglob("*.py")
        for each in targets(ast.parse(module.read_text()))
        if not is_own(each) and each.attr in names
    ]
    assert found == []


@pytest.mark.parametrize("module", sorted(STATE.glob("*.py")), ids=name)
def test_the_state_has_no_public_collection_that_others_could_change(module: Path) -> None:
    assert public_collections(ast.parse(module.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "stream.state = 'Live'",
        "self._state.stream.state = 'Live'",
        "state.counters.starts += 1",
        "state.freshness: object = self",
        "del state.slot",
        "first, state.slot = 1, None",
        "setattr(state, 'slot', None)",
    ],
)
def test_a_foreign_assignment_is_found(source: str) -> None:
    assert foreign_assignments(ast.parse(source)) != []


@pytest.mark.parametrize(
    "source", ["self.symbols: set[str] = set()", "self.symbols = set()", "self.states = {}", "self.to_repair = deque()"]
)
def test_a_public_collection_is_found(source: str) -> None:
    assert public_collections(ast.parse(source)) != []
    assert public_collections(ast.parse(source.replace("self.", "self._"))) == []
