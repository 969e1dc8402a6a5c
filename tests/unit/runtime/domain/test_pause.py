from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_contract.spec import PausedSymbol
from sluice_runtime.domain.pause import (
    PauseInForce,
    Switch,
    current_pauses_by_symbol,
    next_pause_end,
    parse_on_or_off,
    pause_in_force,
    pausing_sources,
    switches_of_job,
    with_switch,
)
from support.runtime_fakes import job
from support.virtual_time import START

SOON = START + timedelta(minutes=5)
LATER = START + timedelta(hours=1)


def stamp(moment: datetime) -> str:
    return moment.isoformat()


def decision(at: datetime = START, **spec: Any) -> PauseInForce | None:
    return pause_in_force(switches_of_job(job(**spec)), at)


def test_no_switch_means_stream() -> None:
    assert pause_in_force((), START) is None
    assert decision() is None


def test_the_first_switch_that_pauses_decides() -> None:
    inputs = (
        Switch(source="a", pauses=False),
        Switch(source="b", pauses=True, reason="why"),
        Switch(source="c", pauses=True),
    )
    assert pause_in_force(inputs, START) == PauseInForce(source="b", reason="why")


def test_a_switch_with_an_end_pauses_before_that_instant_and_not_at_it() -> None:
    inputs = (Switch(source="a", pauses=True, until=SOON),)
    assert pause_in_force(inputs, SOON - timedelta(microseconds=1)) is not None
    assert pause_in_force(inputs, SOON) is None


def test_enabled_false_pauses_for_good() -> None:
    assert decision(enabled=False) == PauseInForce(source="cr:acme/us")


def test_a_pause_says_why_and_until_when() -> None:
    paused = decision(pause={"reason": "vendor", "until": stamp(SOON)})
    assert paused == PauseInForce(source="cr:acme/us", reason="vendor", until=SOON)


def test_a_pause_without_an_end_stays() -> None:
    assert decision(LATER, pause={"reason": "vendor"}) == PauseInForce(source="cr:acme/us", reason="vendor")


def test_a_pause_that_is_over_does_not_pause() -> None:
    assert decision(LATER, pause={"until": stamp(SOON)}) is None


def test_a_disabled_job_stays_paused_when_its_pause_ends() -> None:
    spec: dict[str, Any] = {"enabled": False, "pause": {"reason": "vendor", "until": stamp(SOON)}}
    assert decision(LATER, **spec) == PauseInForce(source="cr:acme/us", reason="vendor")


@pytest.mark.parametrize(
    ("until", "instant"),
    [
        ("2050-03-02T16:00:00+01:00", datetime(2050, 3, 2, 15, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_pause_is_reported_in_utc_if_utc_has_a_date_for_it(until: str, instant: datetime) -> None:
    found = decision(pause={"until": until})
    assert found is not None
    assert found.until is not None
    assert (found.until, found.until.utcoffset()) == (instant, timedelta(0))


def test_a_pause_that_ended_before_the_first_date_of_utc_is_over() -> None:
    assert decision(pause={"until": "0001-01-01T00:00:00+14:00"}) is None


def test_symbols_are_paused_until_each_one_s_own_end() -> None:
    entries = [PausedSymbol(symbol="A", reason="bad prints", until=SOON), PausedSymbol(symbol="B")]
    assert current_pauses_by_symbol(entries, START) == {"A": entries[0], "B": entries[1]}
    assert current_pauses_by_symbol(entries, LATER) == {"B": entries[1]}


def test_the_next_change_is_the_first_end_still_to_come() -> None:
    spec: dict[str, Any] = {
        "pause": {"until": stamp(LATER)},
        "pausedSymbols": [{"symbol": "AAPL", "until": stamp(SOON)}, {"symbol": "MSFT"}],
    }
    assert next_pause_end(job(**spec), START) == SOON
    assert next_pause_end(job(**spec), SOON) == LATER
    assert next_pause_end(job(**spec), LATER) is None


def test_all_sources_that_pause_are_named_once_each() -> None:
    inputs = (
        Switch(source="cr:acme/us", pauses=True),
        Switch(source="cr:acme/us", pauses=True, until=SOON),
        Switch(source="api", pauses=False),
        Switch(source="env:INGEST_ENABLED", pauses=True),
        Switch(source="autoStop", pauses=True, until=SOON),
    )
    assert pausing_sources(inputs, LATER) == ("cr:acme/us", "env:INGEST_ENABLED")


@pytest.mark.parametrize(
    ("word", "enabled"), [("", True), ("on", True), ("0", False), (" No\n", False), ("FALSE", False)]
)
def test_the_text_of_a_switch_accepts_common_words(word: str, enabled: bool) -> None:
    assert parse_on_or_off(word) is enabled


def test_an_unknown_text_of_a_switch_is_neither_yes_nor_no() -> None:
    with pytest.raises(ValueError, match="'halt' is neither on nor off"):
        parse_on_or_off("halt\n")


def test_only_switches_that_pause_are_kept() -> None:
    on, off = Switch(source="a", pauses=True), Switch(source="a", pauses=False)
    assert with_switch((), on) == (on,)
    assert with_switch((on, Switch(source="b", pauses=True)), off) == (Switch(source="b", pauses=True),)
