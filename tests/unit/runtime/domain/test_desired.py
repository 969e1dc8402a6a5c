import pytest

from sluice_runtime.domain.desired import (
    DELETED,
    UNREAD,
    has_applied_switches,
    is_paused_whatever_switches_say,
    with_pause,
)
from sluice_runtime.domain.pause import PauseInForce, Switch
from support.runtime_fakes import desired, desired_state_of, job
from support.virtual_time import START


def test_paused_symbols_are_declared_and_not_streamed() -> None:
    found = desired(symbols=["A", "B", "C"], pausedSymbols=[{"symbol": "B"}])
    assert found.declared == {"A", "B", "C"}
    assert found.paused == {"B"}
    assert found.symbols == {"A", "C"}


def test_a_paused_symbol_that_is_not_declared_is_reported_and_pauses_nothing() -> None:
    found = desired(symbols=["A"], pausedSymbols=[{"symbol": "Z"}, {"symbol": "Y"}])
    assert found.unknown_paused == ("Y", "Z")
    assert found.paused == frozenset()


def test_the_desired_state_has_the_generation_and_the_hot_settings() -> None:
    found = desired_state_of(job(4, dryRun=True, limits={"burst": 3}, heartbeat={"intervalSeconds": 2}), START)
    assert (found.generation, found.dry_run, found.limits.burst, found.heartbeat.interval_seconds) == (4, True, 3, 2)


def test_another_switch_pauses_beside_the_job_s_own() -> None:
    assert desired_state_of(job(), START, [Switch(source="api", pauses=True)]).pause == PauseInForce(source="api")


def test_with_pause_changes_only_the_pause() -> None:
    before = desired()
    after = with_pause(before, DELETED)
    assert after.pause == DELETED
    assert with_pause(after, PauseInForce(source="x")).symbols == before.symbols


@pytest.mark.parametrize(("symbols", "seconds"), [(1, 1.0), (20, 1.0), (100, 5.0), (2000, 100.0)])
def test_the_effective_interval_grows_with_the_symbols(symbols: int, seconds: float) -> None:
    assert desired(symbols=[f"S{n}" for n in range(symbols)]).effective_interval_seconds == seconds


def test_switches_are_applied_when_the_desired_state_has_each_of_them_and_no_other() -> None:
    file, api = (Switch(source=source, pauses=True) for source in ("file:/enabled", "api"))
    running, paused = desired_state_of(job(), START, ()), desired_state_of(job(), START, (file, api))
    assert has_applied_switches(running, ())
    assert has_applied_switches(paused, (file, api))
    assert not has_applied_switches(running, (api,))
    assert not has_applied_switches(paused, (api,))


def test_a_pause_of_the_job_itself_is_no_switch_outside_it() -> None:
    assert has_applied_switches(desired_state_of(job(enabled=False), START, ()), ())


def test_only_a_job_that_is_gone_or_not_understood_is_paused_whatever_its_switches_say() -> None:
    running = desired_state_of(job(), START, ())
    for pause in (UNREAD, DELETED):
        assert is_paused_whatever_switches_say(with_pause(running, pause))
    assert not is_paused_whatever_switches_say(running)
    assert not is_paused_whatever_switches_say(desired_state_of(job(enabled=False), START, ()))
