import pytest

from sluice_runtime.domain.pause import Switch
from sluice_runtime.loops.switch_states import SwitchStates


async def test_only_switches_that_pause_are_kept_one_for_each_source() -> None:
    states = SwitchStates()
    api, file = Switch(source="api", pauses=True), Switch(source="file:x", pauses=True)
    states.set_switch(api)
    states.set_switch(file)
    states.set_switch(Switch(source="api", pauses=False))
    assert states.switches.value == (file,)


async def test_a_switch_that_cannot_be_read_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    states = SwitchStates()
    states.record_switch_failure("x cannot be read")
    assert states.counters.errors == {"pause_check": 1}
    assert "PAUSE_CHECK_FAILED: x cannot be read" in caplog.text
