"""What the message of the Streaming condition says about a stream that is live."""

from __future__ import annotations

from typing import Any

import pytest

from sluice_contract import conditions as c

from .world import KEY, SYNTHETIC, World, found

COUNTS = {"live": "1/2", "desired": 2, "confirmed": 2, "pending": 0, "paused": 0, "rejected": 0}


async def streaming_message(world: World, **stream: Any) -> str:
    """Return the message of the Streaming condition after a running pod has reported this."""
    world.cluster.declare(KEY, SYNTHETIC)
    await world.settle()
    await world.streams(**stream)
    condition = found(world.job.status, c.STREAMING)
    assert condition is not None
    assert (condition.status, world.ready[0]) == ("True", "True")
    return condition.message


async def test_a_symbol_that_never_ticked_is_named_with_what_to_do(world: World) -> None:
    message = await streaming_message(world, symbols=COUNTS | {"neverTicked": 1, "neverTickedSymbols": ["XYZ"]})
    assert message == (
        "1/2 symbols. 1 symbol has never ticked: XYZ. Check that the provider's feed has it under this name; otherwise "
        "correct spec.symbols."
    )


async def test_several_symbols_that_never_ticked_are_named(world: World) -> None:
    symbols = COUNTS | {"neverTicked": 3, "neverTickedSymbols": ["FB", "XYZ"]}
    message = await streaming_message(world, symbols=symbols)
    assert "3 symbols have never ticked: FB, XYZ, and others. Check that the provider's feed has them" in message


async def test_a_symbol_that_is_unheard_for_less_than_an_hour_is_not_in_the_message(world: World) -> None:
    message = await streaming_message(world, symbols=COUNTS | {"unheardSymbols": ["XYZ"]})
    assert message == "1/2 symbols."


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, ""),
        (2000, ""),
        (-2000, ""),
        (-30_000, " The node's clock is 30 s behind the provider's: run NTP (such as chrony) on the node."),
        (2_140, " The node's clock is 2.1 s ahead of the provider's: run NTP (such as chrony) on the node."),
    ],
)
async def test_a_clock_that_is_wrong_by_more_than_2_seconds_is_in_the_message(
    world: World, milliseconds: int | None, words: str
) -> None:
    stream = {} if milliseconds is None else {"clockSkewMilliseconds": milliseconds}
    assert await streaming_message(world, symbols=COUNTS, **stream) == f"1/2 symbols.{words}"


async def test_pauses_that_the_pod_may_not_read_are_named_with_what_to_do(world: World) -> None:
    problem = "The pod may not read ingestpauses, so it does not obey new ones. Grant its ServiceAccount the rights."
    assert (await streaming_message(world, pauseCheckProblem=problem)).endswith(problem)
