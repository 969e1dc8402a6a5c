"""Faults of single requests on a real API server: kills of the operator; late, lost and damaged responses and events.

Each workload runs without a fault first. Its requests are the addresses of the plans. SLUICE_FAULT_PLANS is the number
of plans that run, chosen at random with SLUICE_FAULT_SEED; `all` runs each. SLUICE_FAULT_PLAN replays one plan.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from sluice_devcluster.layout import StateDirectory
from support.fault_cluster import cluster, runtime
from support.fault_plans import KILLS, LATE, Plan, parse_plan, plans_of_trace
from support.fault_workloads import WORKLOADS
from support.fault_worlds import Result, World
from support.locked_runtime import LockedRuntime

WORLDS = 6
DEFAULT_PLANS = "60"

__all__ = ["cluster", "runtime"]


def chosen(plans: Sequence[Plan], seed: str, number: str) -> list[Plan]:
    """Return the plans to run: all, or some of them at random, but the same ones for the same seed."""
    if number == "all":
        return list(plans)
    return random.Random(seed).sample(sorted(plans), min(int(number), len(plans)))


async def run_all(worlds: Sequence[World], plans: Sequence[Plan]) -> list[Result]:
    """Run the plans in the worlds, one after the other in each."""
    waiting, results = list(reversed(plans)), list[Result]()

    async def work(world: World) -> None:
        while waiting:
            results.append(await world.run(waiting.pop()))

    async with asyncio.TaskGroup() as group:
        for world in worlds:
            group.create_task(work(world))
    return results


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
    seed = os.environ.get("SLUICE_FAULT_SEED", "1")
    replayed = os.environ.get("SLUICE_FAULT_PLAN", "")
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(World(cluster, runtime, tmp_path, f"world-{number}").running())
            for number in range(1 if replayed else WORLDS)
        ]
        if replayed:
            results = await run_all(worlds, [parse_plan(replayed)])
        else:
            reference = await run_all(worlds, [Plan(name) for name in WORKLOADS])
            plans = [
                plan for each in reference for plan in plans_of_trace(each.plan.workload, each.trace, (*KILLS, *LATE))
            ]
            results = reference + await run_all(
                worlds, chosen(plans, seed, os.environ.get("SLUICE_FAULT_PLANS", DEFAULT_PLANS))
            )
    failed = [str(each) for each in results if each.problems]
    print("", f"seed {seed}:", table_of(results), *failed, sep="\n")  # noqa: T201
    assert failed == [], "replay each with SLUICE_FAULT_PLAN='…' make faults:\n" + "\n".join(failed)
