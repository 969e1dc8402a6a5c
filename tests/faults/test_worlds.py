"""Faults of single requests on a real API server: kills of the operator; late, lost and damaged responses and events.

Each workload runs without a fault first. Its requests are the addresses of the plans. SLUICE_FAULT_PLANS is the number
of plans that run, chosen at random with SLUICE_FAULT_SEED; `all` runs each. SLUICE_FAULT_PLAN replays plans, separated
by semicolons.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sluice_devcluster.layout import StateDirectory
from support.fault_cluster import cluster, runtime
from support.fault_plans import KILLS, LATE, Plan, parse_plan, plans_of_trace
from support.fault_workloads import WORKLOADS
from support.fault_worlds import Result, World
from support.locked_runtime import LockedRuntime
from support.operator_defects import DEFECTS

WORLDS = 6
WORLDS_BESIDE_OTHER_TESTS = 3
ALL_PLANS = "all"
DEFAULT_PLANS = "60"

__all__ = ["cluster", "runtime"]


def chosen(plans: Sequence[Plan], seed: str, number: str) -> list[Plan]:
    """Return the plans to run: all, or some of them at random, but the same ones for the same seed."""
    if number == ALL_PLANS:
        return list(plans)
    return random.Random(seed).sample(sorted(plans), min(int(number), len(plans)))


async def run_all(worlds: Sequence[World], plans: Sequence[Plan]) -> list[Result]:
    """Run the plans in the worlds, one after the other in each."""
    waiting, results = list(reversed(plans)), list[Result]()

    async def work(world: World) -> None:
        while waiting:
            results.append(await world.run(waiting.pop()))
            if results[-1].problems:
                print(described(results[-1]), flush=True)  # noqa: T201

    async with asyncio.TaskGroup() as group:
        for world in worlds:
            group.create_task(work(world))
    return results


def described(result: Result) -> str:
    """Return the command that replays a plan, and what was wrong."""
    return "\n    ".join([f"make faults PLAN='{result.plan}'", *result.problems])


def table_of(results: Sequence[Result]) -> str:
    """Return the number of plans of each fault, of those whose fault struck, and of those with a violation."""
    plans, struck, failed = (
        Counter(each.plan.fault or "no fault" for each in chosen_results)
        for chosen_results in (
            results,
            [each for each in results if each.has_struck],
            [each for each in results if each.problems],
        )
    )
    lines = ["| fault | plans | struck | violations |", "| --- | --- | --- | --- |"]
    lines += [f"| {fault} | {plans[fault]} | {struck[fault]} | {failed[fault]} |" for fault in sorted(plans)]
    slowest = max(results, key=lambda each: each.seconds)
    return "\n".join([*lines, f"the slowest plan took {slowest.seconds:.0f} s: {slowest.plan}"])


async def test_jobs_keep_their_invariants_whatever_happens_to_one_request(
    cluster: StateDirectory, runtime: LockedRuntime, tmp_path: Path
) -> None:
    seed, number = os.environ.get("SLUICE_FAULT_SEED", "1"), os.environ.get("SLUICE_FAULT_PLANS", DEFAULT_PLANS)
    replayed = [parse_plan(text) for text in os.environ.get("SLUICE_FAULT_PLAN", "").split(";") if text.strip()]
    most = WORLDS if number == ALL_PLANS else WORLDS_BESIDE_OTHER_TESTS
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(World(cluster, runtime, tmp_path, f"world-{index}").running())
            for index in range(min(len(replayed) or most, most))
        ]
        if replayed:
            results = await run_all(worlds, replayed)
        else:
            reference = await run_all(worlds, [Plan(name) for name in WORKLOADS])
            plans = [
                plan for each in reference for plan in plans_of_trace(each.plan.workload, each.trace, (*KILLS, *LATE))
            ]
            results = reference + await run_all(worlds, chosen(plans, seed, number))
    failed = [described(each) for each in results if each.problems]
    print("", f"seed {seed}:", table_of(results), *failed, sep="\n")  # noqa: T201
    assert failed == [], "\n".join(failed)


@pytest.mark.parametrize(
    ("defect", "finding"),
    [
        ("deletes pods by force", "was forgotten before its container had ended"),
        ("repeats an epoch", "its predecessor had 1"),
    ],
)
async def test_the_rig_finds_a_defect_of_the_operator(
    cluster: StateDirectory, runtime: LockedRuntime, tmp_path: Path, defect: str, finding: str
) -> None:
    world = World(cluster, runtime, tmp_path, f"defect-{defect.replace(' ', '-')}")
    world.operator.defect = DEFECTS[defect]
    async with world.running():
        result = await world.run(Plan("cold-change"))
    assert finding in described(result)
