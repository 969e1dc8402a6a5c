"""The condition WriteBudgetAvailable, and Ready, by what the pod reports of its daily write budget."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c

from .world import KEY, SYNTHETIC, World, found

RESETS = "2026-11-29T08:00:00Z"
REMEDY = "Raise limits.writesPerDay or the policy's bound, or use fewer symbols."


def writes(used: int, **more: Any) -> dict[str, Any]:
    return {"day": "2026-11-28", "used": used, "limit": 20_000, "resetsAt": RESETS} | more


async def budget_condition(world: World, **stream: Any) -> tuple[str, str, str] | None:
    """Return the condition after a running pod has reported this: its status, reason and message."""
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    await world.streams(**stream)
    condition = found(world.job.status, c.WRITE_BUDGET_AVAILABLE)
    return (condition.status, condition.reason, condition.message) if condition is not None else None


async def test_a_job_without_a_budget_has_no_such_condition(world: World) -> None:
    assert await budget_condition(world) is None
    assert world.ready == ("True", c.STREAMING_REASON)


@pytest.mark.parametrize("used", [0, 15_999])
async def test_a_budget_is_sufficient_below_80_percent(world: World, used: int) -> None:
    message = "More than a fifth of the 20000 document writes for 2026-11-28 is left."
    assert await budget_condition(world, writes=writes(used)) == ("True", c.BUDGET_SUFFICIENT, message)
    assert world.ready == ("True", c.STREAMING_REASON)


@pytest.mark.parametrize(
    ("used", "paced", "words"),
    [
        (16_000, None, "At least 80 % of X are used. The limits of the job are slower than the pace of the budget."),
        (16_999, 417_000, "At least 80 % of X are used. Each symbol is written about every 400 s."),
        (17_000, 430_000, "At least 85 % of X are used. Each symbol is written about every 400 s."),
        (21_000, 240, "At least 100 % of X are used. Each symbol is written about every 0.2 s."),
    ],
)
async def test_a_slowed_job_is_ready_and_states_its_pace(
    world: World, used: int, paced: int | None, words: str
) -> None:
    more = {} if paced is None else {"pacedIntervalMilliseconds": paced}
    message = f"{words.replace('X', 'the 20000 document writes for 2026-11-28')} {REMEDY}"
    assert await budget_condition(world, writes=writes(used, **more)) == ("False", c.BUDGET_SLOWED, message)
    assert world.ready == ("True", c.WRITE_BUDGET_SLOWED)
    ready = found(world.job.status, c.READY)
    assert ready is not None
    assert ready.message.endswith(message)


@pytest.mark.parametrize("sources", [[], [{"source": "spec.enabled"}, {"source": "quota"}]])
async def test_an_exhausted_budget_names_its_end(world: World, sources: list[dict[str, str]]) -> None:
    source = sources[0]["source"] if sources else "quota"
    pause = {"source": source, "acknowledgedAt": "2026-11-28T20:00:00Z", "sources": sources}
    assert await budget_condition(world, state="Paused", pause=pause, writes=writes(18_000)) == (
        "False",
        c.BUDGET_EXHAUSTED,
        "All of the 20000 document writes for 2026-11-28 are used or set aside: the job is paused by quota until "
        f"{RESETS}. {REMEDY}",
    )
    assert world.ready == ("True", c.PAUSED_REASON)
