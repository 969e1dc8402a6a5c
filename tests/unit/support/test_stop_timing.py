"""The time at which a symbol ended, by the provider's record."""

from __future__ import annotations

from typing import Any

import pytest

from bench.stop_timing import symbol_ended_at


def _connection(closed: float | None, *subscriptions: tuple[float, list[str]]) -> dict[str, Any]:
    history = [{"at": at, "channels": {"quotes": symbols}} for at, symbols in subscriptions]
    return {"closed": closed, "history": history}


@pytest.mark.parametrize(
    ("connection", "ended_at"),
    [
        pytest.param(_connection(None, (1.0, ["A", "B"])), None, id="subscribed"),
        pytest.param(_connection(None, (1.0, ["A", "B"]), (2.0, ["B"])), 2.0, id="unsubscribed"),
        pytest.param(_connection(5.0, (1.0, ["A", "B"])), 5.0, id="closed"),
        pytest.param(_connection(None, (1.0, ["B"])), 0.0, id="never subscribed"),
        pytest.param(_connection(None, (1.0, ["A"]), (2.0, ["B"]), (3.0, ["A", "B"])), None, id="subscribed again"),
    ],
)
def test_a_symbol_ends_when_no_subscription_has_it(connection: dict[str, Any], ended_at: float | None) -> None:
    assert symbol_ended_at(connection, "A") == ended_at
