import asyncio
import json
from pathlib import Path

import pytest

from support import deadlines
from support.deadlines import Deadline, assert_takes_at_most, read_slowness, scaled, wait_for, wait_until, within
from support.eventually import eventually
from support.site import eventually as eventually_blocking
from support.timed_kubectl import scale_timeouts


@pytest.mark.parametrize(("value", "factor"), [("", 1.0), ("1", 1.0), ("2.5", 2.5), ("10", 10.0)])
def test_the_factor_is_a_number_of_at_least_one(value: str, factor: float) -> None:
    assert read_slowness(value) == factor


@pytest.mark.parametrize("value", ["0", "0.5", "-1", "slow", "nan"])
def test_another_factor_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=f'SLUICE_TEST_SLOWNESS is "{value}"; set it to a number of at least 1'):
        read_slowness(value)


def test_the_factor_multiplies_every_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "SLOWNESS", 3.0)
    assert scaled(10) == 30
    assert Deadline(5).seconds == 15
    with assert_takes_at_most(0.02):
        pass


def test_the_timeout_of_a_command_is_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.timed_kubectl.SLOWNESS", 3.0)
    assert scale_timeouts("kubectl wait ij/feed --timeout=60s -n acme") == "kubectl wait ij/feed --timeout=180s -n acme"


class Never:
    async def wait_until(self, holds: object, timeout: float | None) -> None:
        await asyncio.Event().wait()


async def test_a_wait_that_is_not_over_in_time_fails() -> None:
    with pytest.raises(TimeoutError):
        await wait_for(asyncio.Event().wait(), 0.01)
    with pytest.raises(TimeoutError):
        await wait_until(Never(), lambda _: False, 0.01)
    with pytest.raises(TimeoutError):
        async with within(0.01):
            await asyncio.Event().wait()
    with pytest.raises(AssertionError, match=r"not within 0\.01 s"):
        await eventually(lambda: False, 0.01)
    with pytest.raises(AssertionError, match="not within 0 s; last: False"):
        eventually_blocking(lambda: False, 0.01)
    with pytest.raises(AssertionError, match=r"this took 0\.1 s; 0\.0 s are allowed"), assert_takes_at_most(0.01):
        await asyncio.sleep(0.1)


async def test_each_deadline_that_was_met_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "waits.jsonl"
    monkeypatch.setenv("SLUICE_TEST_WAITS", str(path))
    await eventually(lambda: True, 7)
    await wait_for(asyncio.sleep(0), 8)
    with assert_takes_at_most(9):
        pass
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["what"], each["allowed"]) for each in found] == [
        ("eventually", scaled(7)),
        ("wait_for", scaled(8)),
        ("assert_takes_at_most", scaled(9)),
    ]
    assert all("test_each_deadline_that_was_met_is_recorded" in each["test"] for each in found)
