import json
from typing import Any

import msgspec

from sluice_contract.status import StreamStatus
from sluice_runtime.adapters.http.status import status_body
from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.market_hours import REGULAR_AND_EXTENDED_HOURS
from sluice_runtime.domain.pause import Switch
from sluice_runtime.state.runtime_state import RuntimeState
from support.runtime_fakes import desired, desired_state_of, job, runtime_state, runtime_view
from support.virtual_time import START, now


def body(runtime: RuntimeState) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status_body(runtime.snapshot()))
    return found


async def test_the_http_status_is_the_pod_s_part_of_the_status_with_two_more_fields() -> None:
    runtime = runtime_state()
    runtime.stream.on_state("Live")
    found = body(runtime)
    assert found.pop("pausedBy") == found.pop("pausedSymbols") == []
    assert msgspec.convert(found, StreamStatus) == stream_status(runtime.snapshot())
    assert found["heartbeat"]["at"] == "2026-03-02T15:00:00Z"
    assert found["heartbeat"]["dryRun"] is False


async def test_all_switches_that_pause_are_named_the_one_that_decides_first() -> None:
    others = [
        Switch(source="env:INGEST_ENABLED", pauses=False),
        Switch(source="api", pauses=True, reason="bad prints"),
        Switch(source="autoStop", pauses=True, until=START),
        Switch(source="file:enabled", pauses=True),
    ]
    found = body(runtime_state(desired_state_of(job(enabled=False), now(), others)))
    assert found["pausedBy"] == ["spec.enabled", "api", "file:enabled"]
    assert (found["ingestEnabled"], found["ingestEnabledSource"]) == (False, "spec.enabled")


async def test_paused_symbols_are_those_of_the_job_in_order() -> None:
    paused = [{"symbol": symbol} for symbol in ("MSFT", "AAPL", "TSLA")]
    found = body(runtime_state(desired(symbols=["AAPL", "MSFT", "SPY"], pausedSymbols=paused)))
    assert found["pausedSymbols"] == ["AAPL", "MSFT"]
    assert found["pausedBy"] == []


async def test_unknown_fields_are_absent_and_never_null() -> None:
    runtime = runtime_state()
    assert not {"failure", "pause", "slot", "freshness", "preflight"} & body(runtime).keys()
    runtime.stream.record_failure(StreamError("auth", "check the key"))
    assert body(runtime)["failure"]["message"] == "check the key"
    assert "null" not in status_body(runtime.snapshot()).decode()


async def test_the_market_has_its_session_and_its_next_change() -> None:
    runtime = runtime_state()
    runtime_view(runtime, REGULAR_AND_EXTENDED_HOURS)
    assert body(runtime)["market"] == {
        "phase": "open",
        "session": "regular",
        "since": "2026-03-02T09:00:00Z",
        "changesAt": "2026-03-03T01:00:00Z",
        "presumedClosed": False,
        "calendarEndsOn": "2031-12-31",
    }
