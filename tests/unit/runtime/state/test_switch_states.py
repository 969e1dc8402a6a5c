import pytest

from sluice_runtime.domain.counters import Counters
from sluice_runtime.domain.pause import Switch
from sluice_runtime.state.switch_states import SwitchStates


async def test_only_switches_that_pause_are_kept_one_for_each_source() -> None:
    states = SwitchStates(Counters())
    api, file = Switch(source="api", pauses=True), Switch(source="file:x", pauses=True)
    states.set_switch(api)
    states.set_switch(file)
    states.set_switch(Switch(source="api", pauses=False))
    assert states.value == (file,)


async def test_a_switch_that_cannot_be_read_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    states = SwitchStates(counters)
    states.record_switch_failure("x cannot be read")
    assert counters.errors == {"pause_check": 1}
    assert "PAUSE_CHECK_FAILED: x cannot be read" in caplog.text


async def test_an_unchanged_switch_changes_nothing() -> None:
    states = SwitchStates(Counters())
    api, file = Switch(source="api", pauses=True), Switch(source="file:f", pauses=True)
    for each in (api, file):
        states.set_switch(each)
    before = states.version
    for each in (api, file, api, Switch(source="env:E", pauses=False)):
        states.set_switch(each)
    assert (states.version, states.value) == (before, (api, file))
