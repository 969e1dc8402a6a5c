"""The names in the code: no replaced name returns, and no class name has two meanings."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONTRACT = ROOT / "crds/src"
DISTRIBUTIONS = {"operator": ROOT / "operator/src", "runtime": ROOT / "runtime/src"}

# Names that readers did not understand, with their replacements. docs/glossary.md has the terms.
REPLACED = {
    "Blind": "WatchBroken",
    "Board": "LastValues",
    "Budget": "TokenBucket",
    "CatchUp": "SnapshotRecovery",
    "Cell": "LatestValue",
    "Judge": "FreshnessModel",
    "Look": "RefreshFromAPI",
    "MountedSink": "ReloadingSink",
    "Patience": "Timeouts",
    "Pulse": "LoopLagMonitor",
    "Reachability": "ReachableClock",
    "Repairs": "ResyncMetrics",
    "Scene": "FreshnessInput",
    "Shelf": "ObjectCache",
    "Store": "ClusterState",
    "Tally": "ReconcileMetrics",
    "Terms": "LeaseTimings",
    "Wire": "Transport",
    "Wishes": "StartRequest",
    "aim": "desired",
    "aim_at": "set_desired",
    "beat": "send_heartbeats_forever",
    "is_heard": "has_tick_since_last_check",
    "line_up": "enqueue_due",
    "newcomers": "needs_snapshot",
    "news": "compared_values",
    "odd": "not_live",
    "pod_is_ours": "pod_was_created_by_operator",
    "raised_epoch": "next_epoch",
    "remedied": "wait_for_fix",
    "renewed": "wait_for_rotation",
    "say_goodbye": "send_last_heartbeats",
    "steer": "follow_spec",
    "take_job": "on_job_event",
    "take_pod": "on_pod_event",
    "wish": "override",
    "within": "completes_within",
}
# A connection's method of that name writes a heartbeat; its port is older than the rule.
ALLOWED = {("ports.py", "beat"), ("reloading_sink.py", "beat"), ("sink.py", "beat")}
# Function names that are a verb or participle without an object.
BARE = frozenset({"_after", "_look", "_look_again", "_restarted", "_seen", "missing", "told"})


def modules(source: Path) -> Iterator[tuple[Path, ast.Module]]:
    for module in sorted(source.rglob("*.py")):
        yield module, ast.parse(module.read_text())


def defined_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@pytest.mark.parametrize("source", [CONTRACT, *DISTRIBUTIONS.values()], ids=["contract", *DISTRIBUTIONS])
def test_no_replaced_name_is_used_again(source: Path) -> None:
    found = [
        f"{module.relative_to(ROOT)}: {name}, now {REPLACED[name]}"
        for module, tree in modules(source)
        for name in defined_names(tree)
        if name in REPLACED and (module.name, name) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize("source", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_a_class_name_stands_for_one_thing(source: Path) -> None:
    places = defaultdict(list)
    for module, tree in chain(modules(CONTRACT), modules(source)):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.stem)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("source", [CONTRACT, *DISTRIBUTIONS.values()], ids=["contract", *DISTRIBUTIONS])
def test_a_function_name_has_an_object(source: Path) -> None:
    found = [
        f"{module.relative_to(ROOT)}: {node.name}"
        for module, tree in modules(source)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in BARE
    ]
    assert found == []
