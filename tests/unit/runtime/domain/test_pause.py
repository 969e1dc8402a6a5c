from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_contract.pause_status import PauseSource
from sluice_contract.spec import PausedSymbol
from sluice_runtime.domain.pause import (
    PauseInForce,
    Switch,
    SymbolPause,
    current_pauses_by_symbol,
    cut_reason,
    next_pause_end,
    parse_on_or_off,
    pause_in_force,
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


def test_the_first_switch_in_the_order_of_authority_gives_source_reason_and_author() -> None:
    inputs = (
        Switch(source="spec.enabled", pauses=False),
        Switch(source="api", pauses=True),
        Switch(source="pause:x", pauses=True, reason="why", by="alice"),
    )
    found = pause_in_force(inputs, START)
    assert found is not None
    assert (found.source, found.reason, found.by, found.source_names) == ("pause:x", "why", "alice", ("pause:x", "api"))


def test_a_switch_with_an_end_pauses_before_that_instant_and_not_at_it() -> None:
    inputs = (Switch(source="a", pauses=True, until=SOON),)
    assert pause_in_force(inputs, SOON - timedelta(microseconds=1)) is not None
    assert pause_in_force(inputs, SOON) is None


def test_enabled_false_pauses_for_good() -> None:
    assert decision(enabled=False) == PauseInForce(source="spec.enabled")


def test_a_pause_says_why_and_until_when() -> None:
    paused = decision(pause={"reason": "vendor", "until": stamp(SOON)})
    assert paused == PauseInForce(source="spec.pause", reason="vendor", until=SOON)


def test_a_pause_without_an_end_stays() -> None:
    assert decision(LATER, pause={"reason": "vendor"}) == PauseInForce(source="spec.pause", reason="vendor")


def test_a_pause_that_is_over_does_not_pause() -> None:
    assert decision(LATER, pause={"until": stamp(SOON)}) is None


def test_a_disabled_job_stays_paused_when_its_pause_ends() -> None:
    spec: dict[str, Any] = {"enabled": False, "pause": {"reason": "vendor", "until": stamp(SOON)}}
    assert decision(START, **spec) == PauseInForce(
        source="spec.enabled", others=(PauseSource(source="spec.pause", reason="vendor", until=SOON),)
    )
    assert decision(LATER, **spec) == PauseInForce(source="spec.enabled")


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
    of_a = SymbolPause(source="spec.pausedSymbols", reason="bad prints")
    of_b = SymbolPause(source="spec.pausedSymbols", reason="")
    assert current_pauses_by_symbol(entries, START) == {"A": of_a, "B": of_b}
    assert current_pauses_by_symbol(entries, LATER) == {"B": of_b}


def test_the_note_about_a_paused_symbol_names_the_object_and_its_author() -> None:
    assert SymbolPause(source="spec.pausedSymbols", reason="bad prints").description == "bad prints"
    assert SymbolPause(source="pause:x", reason="bad prints").description == "bad prints (pause:x)"
    assert SymbolPause(source="pause:x", reason="halt", by="alice").description == "halt (pause:x, alice)"


def test_the_next_change_is_the_first_end_still_to_come() -> None:
    spec: dict[str, Any] = {
        "pause": {"until": stamp(LATER)},
        "pausedSymbols": [{"symbol": "AAPL", "until": stamp(SOON)}, {"symbol": "MSFT"}],
    }
    assert next_pause_end(job(**spec), START) == SOON
    assert next_pause_end(job(**spec), SOON) == LATER
    assert next_pause_end(job(**spec), LATER) is None
    quota = Switch(source="quota", pauses=True, until=LATER + timedelta(hours=2))
    assert next_pause_end(job(**spec), LATER, [quota], [LATER + timedelta(hours=1)]) == LATER + timedelta(hours=1)
    assert next_pause_end(job(**spec), LATER, [quota]) == LATER + timedelta(hours=2)


def test_a_source_is_named_once_even_if_two_switches_have_it() -> None:
    inputs = (
        Switch(source="unreadable", pauses=True, reason="a"),
        Switch(source="unreadable", pauses=True, reason="b"),
        Switch(source="api", pauses=False),
        Switch(source="env:INGEST_ENABLED", pauses=True),
        Switch(source="autoStop", pauses=True, until=SOON),
    )
    found = pause_in_force(inputs, LATER)
    assert found is not None
    assert found.source_names == ("unreadable", "env:INGEST_ENABLED")
    assert [each.reason for each in found.sources] == ["a", "b", None]


@pytest.mark.parametrize(
    ("ends", "latest"), [((SOON, LATER), LATER), ((LATER, SOON), LATER), ((SOON, None), None), ((None, SOON), None)]
)
def test_a_pause_ends_with_its_latest_switch_and_not_by_itself_if_one_has_no_end(
    ends: tuple[datetime | None, datetime | None], latest: datetime | None
) -> None:
    first, second = ends
    found = pause_in_force(
        (Switch(source="spec.pause", pauses=True, until=first), Switch(source="quota", pauses=True, until=second)),
        START,
    )
    assert found is not None
    assert found.ends_at == latest


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


def test_a_reason_has_at_most_the_characters_of_the_job_s_field() -> None:
    assert cut_reason(None) is None
    assert cut_reason("r" * 256) == "r" * 256
    assert cut_reason("\N{BAR CHART}" * 257) == "\N{BAR CHART}" * 255 + "…"


def test_a_reason_with_half_a_surrogate_pair_can_be_stored() -> None:
    assert cut_reason("vendor \ud800 incident") == "vendor ? incident"
