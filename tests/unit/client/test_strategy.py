"""The strategy of docs/readers.md, exactly as it is there, through what happens to a feed. In virtual time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest_asyncio

from sluice_client import MemorySource, Reason
from support.feed_documents import heartbeat_fields, quote_fields
from support.virtual_time import at, now, settle

PAGE = (Path(__file__).parents[3] / "docs/readers.md").read_text()
BOTH = {("SPY", "buy"): 601.22, ("SPY", "sell"): 601.24}


def strategy() -> tuple[str, Callable[..., Coroutine[Any, Any, None]]]:
    """Return the code in the page, and the function that it defines."""
    [code] = [
        each for each in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "async def quote_both_sides" in each
    ]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/readers.md", "exec"), names)  # noqa: S102 (the page's code is what is tested)
    return code, names["quote_both_sides"]


class FakeBroker:
    """Keeps the orders that the strategy has, and why it cancelled."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], float] = {}
        self.reasons: list[str] = []

    def replace_order(self, symbol: str, side: str, price: float) -> None:
        self.orders[symbol, side] = price

    def cancel_orders(self, symbol: str, reason: str) -> None:
        self.orders = {key: price for key, price in self.orders.items() if key[0] != symbol}
        self.reasons.append(reason)


class Trial:
    """The strategy at work on a running feed with a live quote of SPY."""

    def __init__(self) -> None:
        self.source = MemorySource()
        self.broker = FakeBroker()
        self.beat()
        self.quote()
        self.task = asyncio.create_task(strategy()[1](self.source, self.broker, ["SPY"], clock=now))

    def beat(self, **changes: object) -> None:
        self.source.put_heartbeat(heartbeat_fields(now(), **changes))

    def quote(self, **changes: object) -> None:
        self.source.put_quote("SPY", quote_fields("SPY", now(), **changes))

    async def expect_no_orders(self, sentence: str) -> None:
        await settle()
        assert self.broker.orders == {}
        assert sentence in self.broker.reasons[-1]

    async def expect_orders(self) -> None:
        await settle()
        assert self.broker.orders == BOTH


@pytest_asyncio.fixture
async def trial() -> AsyncIterator[Trial]:
    found = Trial()
    await found.expect_orders()
    yield found
    found.task.cancel()
    with suppress(asyncio.CancelledError):
        await found.task
    assert found.broker.orders == {}, "the strategy leaves no order behind"


async def test_it_has_no_orders_during_a_pause(trial: Trial) -> None:
    trial.beat(status="paused", ingest_enabled=False, pause_reason="vendor incident")
    await trial.expect_no_orders("vendor incident")
    trial.beat()
    await trial.expect_orders()


async def test_it_has_no_orders_while_the_symbol_is_paused(trial: Trial) -> None:
    trial.quote(status="paused")
    await trial.expect_no_orders("The symbol SPY is paused.")
    trial.quote()
    await trial.expect_orders()


async def test_it_has_no_orders_once_the_heartbeats_of_a_frozen_pod_cease(trial: Trial) -> None:
    await at(30)
    await trial.expect_orders()
    await at(31.1)
    await trial.expect_no_orders("more than 30 s ago")
    trial.beat()
    await trial.expect_orders()


async def test_it_has_no_orders_while_the_provider_is_disconnected(trial: Trial) -> None:
    trial.beat(status="degraded", failure={"message": "The provider closed the connection.", "remedy": "Wait."})
    await trial.expect_no_orders("The provider closed the connection")
    trial.beat()
    await trial.expect_orders()


async def test_it_has_no_orders_on_quotes_of_an_earlier_session(trial: Trial) -> None:
    trial.beat(session_id="s-3")
    await trial.expect_no_orders("another session")
    trial.quote(session_id="s-3")
    await trial.expect_orders()


async def test_it_has_no_orders_while_the_reader_is_disconnected(trial: Trial) -> None:
    trial.source.set_reader(is_connected=False)
    await trial.expect_no_orders("no connection to Firestore")
    trial.source.set_reader()
    await trial.expect_orders()


async def test_it_has_no_orders_during_a_halt(trial: Trial) -> None:
    trial.beat(halted=["SPY"])
    await trial.expect_no_orders("halted")
    trial.beat()
    await trial.expect_orders()


async def test_it_has_no_orders_without_both_sides_of_the_market(trial: Trial) -> None:
    trial.quote(ask=None)
    await trial.expect_no_orders("one side")


def test_it_has_at_most_twenty_lines() -> None:
    assert len([line for line in strategy()[0].splitlines() if line.strip()]) <= 20


def test_the_page_has_each_reason_in_the_order_of_the_checks() -> None:
    reasons = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert set(reasons) == set(get_args(Reason))
    assert reasons[:5] == ["not_signed_in", "never_heard_of", "stale", "clock", "stopped"]
