"""The words of the code: no old name comes back, and no class name stands for two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONTRACT = ROOT / "crds/src"
DISTRIBUTIONS = {"operator": ROOT / "operator/src", "runtime": ROOT / "runtime/src"}

# Names that readers did not understand, with those that took their place. `../glossary` in docs has the terms.
REPLACED = {
    "Acknowledgement": "PauseAcknowledgement",
    "Blind": "WatchBroken",
    "Board": "LastValues",
    "Budget": "TokenBucket",
    "CatchUp": "SnapshotRecovery",
    "Cell": "LatestValue",
    "Journal": "RuntimeState",
    "Judge": "FreshnessModel",
    "Look": "RefreshFromAPI",
    "MountedSink": "ReloadingSink",
    "Observer": "FreshnessObserver",
    "Patience": "Timeouts",
    "Pulse": "LoopLagMonitor",
    "Reachability": "ReachableClock",
    "Reconnects": "SilenceReactionLimiter",
    "Repairs": "ResyncMetrics",
    "Sampler": "LogSampler",
    "Scene": "FreshnessInput",
    "Shelf": "ObjectCache",
    "Sighting": "LeaseObservation",
    "Statement": "QuoteContent",
    "Store": "ClusterState",
    "Streak": "FailureStreak",
    "Switchboard": "PodSwitches",
    "Tally": "ReconcileMetrics",
    "Terms": "LeaseTimings",
    "Wire": "Transport",
    "Wishes": "StartRequest",
    "aim": "desired",
    "aim_at": "set_desired",
    "beat": "send_heartbeats_forever",
    "follow_spec": "update_desired_forever",
    "is_heard": "has_tick_since_last_check",
    "line_up": "enqueue_refreshes_and_price_changes",
    "new_york": "new_york_market_state",
    "newcomers": "needs_snapshot",
    "news": "compared_values",
    "odd": "symbols_not_live",
    "pod_is_ours": "pod_was_created_by_operator",
    "raised_epoch": "next_epoch",
    "remedied": "wait_for_fix",
    "renewed": "wait_for_rotation",
    "say_goodbye": "send_last_heartbeat_and_status",
    "steer": "update_desired_forever",
    "take_job": "on_job_event",
    "take_pod": "on_pod_event",
    "understood_job": "to_declared_job",
    "wish": "override",
    "within": "run_with_timeout",
}
# Functions whose name is a verb or participle without its object, or a private word.
BARE = frozenset(
    [
        "_after",
        "_cover",
        "_endangered",
        "_hold",
        "_inherit",
        "_let_go",
        "_look",
        "_look_again",
        "_muted",
        "_noticed",
        "_paused",
        "_recover",
        "_restarted",
        "_seen",
        "_session",
        "_settle",
        "_silence",
        "_tell",
        "_until_paused",
        "_verify",
        "caught_up",
        "confirmed",
        "count",
        "doubt",
        "ended",
        "explained",
        "hold",
        "impaired",
        "inherited",
        "judge",
        "learn",
        "look_once",
        "marked",
        "marking",
        "missing",
        "mute_found",
        "note",
        "noticed",
        "opened",
        "pausing",
        "put_back",
        "recover",
        "remedied",
        "renewed",
        "repriced",
        "restarted",
        "says_enabled",
        "sending",
        "settle",
        "silence",
        "sink_fails",
        "sink_is",
        "takes",
        "tell",
        "told",
        "unheard",
        "waits",
        "was_heard",
        "wrote",
    ]
)
# The modules about market data. Only there does an identifier contain *halt*: it means a trading halt.
MARKET_DATA = {
    "crds/src/sluice_contract/documents.py",
    "crds/src/sluice_contract/symbol_counts.py",
    *(
        f"runtime/src/sluice_runtime/{module}.py"
        for module in (
            "providers/alpaca/connection",
            "providers/alpaca/messages",
            "providers/ibkr/connection",
            "providers/ibkr/market_data_builder",
            "adapters/forwarding_listener",
            "providers/simulated_quotes",
            "domain/freshness",
            "domain/health",
            "domain/last_values",
            "domain/market",
            "domain/prices",
            "domain/published_documents",
            "first_contact",
            "loops/freshness_monitor",
            "loops/publisher",
            "ports",
            "state/quote_states",
            "state/stream_state",
        )
    ),
}
QUESTION = re.compile(r"_*(is|has|can|are)_")
# A participle as the whole name: the regular ones, and the irregular ones that suggest themselves.
PARTICIPLE = re.compile(r"_*([a-z]+ed|gone|heard|held|kept|left|lost|said|seen|sent|taken|told|written)")


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
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@pytest.mark.parametrize("source", [CONTRACT, *DISTRIBUTIONS.values()], ids=["contract", *DISTRIBUTIONS])
def test_no_name_that_was_replaced_comes_back(source: Path) -> None:
    found = [
        f"{module.relative_to(ROOT)}: {name}, now {REPLACED[name]}"
        for module, tree in modules(source)
        for name in defined_names(tree)
        if name in REPLACED
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
def test_a_function_is_named_after_what_it_does_to_what(source: Path) -> None:
    found = [
        f"{module.relative_to(ROOT)}: {node.name}"
        for module, tree in modules(source)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in BARE
    ]
    assert found == []


def returns_answer(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True if the function is annotated to return a bool or a TypeGuard."""
    return function.returns is not None and ast.unparse(function.returns).split("[")[0] in ("bool", "TypeGuard")


def is_unanswered_question(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return QUESTION.match(function.name) is not None and not returns_answer(function)


def is_property_named_as_event(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_property = any(ast.unparse(each).endswith("property") for each in function.decorator_list)
    return is_property and PARTICIPLE.fullmatch(function.name) is not None and not returns_answer(function)


def functions(source: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module, tree in modules(source):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield str(module.relative_to(ROOT)), node


@pytest.mark.parametrize("source", [CONTRACT, *DISTRIBUTIONS.values()], ids=["contract", *DISTRIBUTIONS])
def test_a_function_that_is_named_as_a_question_answers_it(source: Path) -> None:
    found = [f"{module}: {function.name}" for module, function in functions(source) if is_unanswered_question(function)]
    assert found == []


@pytest.mark.parametrize("source", [CONTRACT, *DISTRIBUTIONS.values()], ids=["contract", *DISTRIBUTIONS])
def test_a_property_is_not_named_as_an_event(source: Path) -> None:
    found = [
        f"{module}: {function.name}" for module, function in functions(source) if is_property_named_as_event(function)
    ]
    assert found == []


def modules_that_name_halts() -> set[str]:
    sources = (CONTRACT, *DISTRIBUTIONS.values())
    return {
        str(module.relative_to(ROOT))
        for module, tree in chain.from_iterable(modules(source) for source in sources)
        if any("halt" in name.lower() for name in defined_names(tree))
    }


def test_halt_is_a_trading_halt_and_nothing_else() -> None:
    assert modules_that_name_halts() - MARKET_DATA == set()


def test_each_module_about_market_data_exists() -> None:
    assert [module for module in MARKET_DATA if not (ROOT / module).is_file()] == []


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("class Pod:\n    @property\n    def confirmed(self) -> frozenset[str]: ...\n", True),
        ("class Pod:\n    @cached_property\n    def _held(self) -> list[str]: ...\n", True),
        ("class Pod:\n    @property\n    def confirmed(self) -> bool: ...\n", False),
        ("class Pod:\n    @property\n    def confirmed_symbols(self) -> frozenset[str]: ...\n", False),
        ("class Pod:\n    @property\n    def is_ready(self) -> str: ...\n", True),
        ("def _has_ended(pod) -> datetime: ...\n", True),
        ("def is_at(value) -> TypeGuard[str]: ...\n", False),
    ],
)
def test_a_name_that_misleads_is_found(source: str, is_found: bool) -> None:
    [function] = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    assert (is_unanswered_question(function) or is_property_named_as_event(function)) == is_found
