from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from sluice_contract.pause_status import StreamPause
from sluice_contract.status import (
    FailureType,
    GapCause,
    OpenStreamGap,
    StreamGap,
    StreamState,
    StreamStatus,
)
from sluice_runtime.domain.gaps import Gaps, OpenGap, gap_cause_of_failure, inherited_gaps
from sluice_runtime.domain.health import stream_status
from support.runtime_fakes import runtime_state
from support.virtual_time import START

SECOND = timedelta(seconds=1)


def test_a_gap_lasts_from_the_end_of_a_stream_until_it_is_live_again() -> None:
    gaps = Gaps().with_open_gap(START, "disconnect")
    assert gaps.closed == ()
    assert gaps.with_gap_closed(START + SECOND) == Gaps(
        (StreamGap(from_=START, to=START + SECOND, cause="disconnect"),)
    )


def test_a_gap_is_open_until_the_stream_is_live_again() -> None:
    gaps = Gaps().with_open_gap(START, "disconnect").with_cause_of_open_gap("stall")
    assert Gaps().open_gap is None
    assert gaps.open_gap == OpenGap(START, "stall")
    assert gaps.with_gap_closed(START + SECOND).open_gap is None


def test_failures_within_a_gap_do_not_start_another_gap() -> None:
    gaps = (
        Gaps()
        .with_open_gap(START, "stall")
        .with_open_gap(START + SECOND, "disconnect")
        .with_gap_closed(START + 2 * SECOND)
    )
    assert gaps.closed == (StreamGap(from_=START, to=START + 2 * SECOND, cause="stall"),)


def test_a_cause_that_becomes_known_later_is_added_to_the_gap() -> None:
    [gap] = Gaps().with_open_gap(START, "disconnect").with_cause_of_open_gap("slowClient").with_gap_closed(START).closed
    assert gap.cause == "slowClient"


def test_the_first_connection_ends_no_gap() -> None:
    assert Gaps().with_gap_closed(START) == Gaps()
    assert Gaps().with_cause_of_open_gap("pause").with_gap_closed(START).closed == ()


def test_the_last_ten_are_kept() -> None:
    gaps = Gaps()
    for n in range(12):
        gaps = gaps.with_open_gap(START + n * SECOND, "disconnect").with_gap_closed(START + n * SECOND)
    assert [gap.from_ for gap in gaps.closed] == [START + n * SECOND for n in range(2, 12)]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("stall", "stall"), ("slowClient", "slowClient"), ("network", "disconnect"), ("auth", "disconnect")],
)
def test_each_failure_has_its_cause(kind: FailureType, cause: str) -> None:
    assert gap_cause_of_failure(kind) == cause


async def predecessor(state: StreamState) -> StreamStatus:
    """Return the status that a process left which ended just after its start."""
    runtime = runtime_state()
    runtime.stream.on_state("Live")
    runtime.gaps.begin_gap(START, "stall")
    runtime.gaps.end_gap(START, ())
    return msgspec.structs.replace(stream_status(runtime.snapshot()), state=state)


@pytest.mark.parametrize("state", ["Live", "BackingOff", "Stopped"])
async def test_a_restart_leaves_a_gap_since_the_last_sign_of_life(state: StreamState) -> None:
    gaps = inherited_gaps(await predecessor(state), START + 60 * SECOND).with_gap_closed(START + 60 * SECOND)
    assert [(gap.from_, gap.cause) for gap in gaps.closed] == [(START, "stall"), (START, "restart")]


async def test_after_a_process_that_finished_or_never_streamed_there_is_no_gap() -> None:
    finished, paused = await predecessor("Finished"), await predecessor("Paused")
    for status in (finished, paused):
        gaps = inherited_gaps(status, START + 60 * SECOND).with_gap_closed(START + 60 * SECOND)
        assert [gap.cause for gap in gaps.closed] == ["stall"]


@pytest.mark.parametrize("state", ["Paused", "BackingOff", "Blocked", "Connecting", "Stopped"])
@pytest.mark.parametrize("cause", get_args(GapCause))
async def test_a_gap_that_lasts_survives_each_replacement_of_the_pod(state: StreamState, cause: GapCause) -> None:
    status = msgspec.structs.replace(await predecessor(state), open_gap=OpenStreamGap(since=START, cause=cause))
    for _ in range(3):  # pods, none of which becomes live
        runtime = runtime_state()
        runtime.gaps.inherit(status)
        status = msgspec.structs.replace(stream_status(runtime.snapshot()), state=state)
    assert inherited_gaps(status, START + 60 * SECOND).open_gap == OpenGap(START, cause)


async def test_a_pod_of_an_earlier_version_that_was_paused_leaves_a_gap_since_its_socket_closed() -> None:
    pause = StreamPause(source="spec.enabled", socket_closed_at=START)
    status = msgspec.structs.replace(await predecessor("Paused"), pause=pause, open_gap=None)
    assert inherited_gaps(status, START + 60 * SECOND).open_gap == OpenGap(START, "pause")


async def test_a_cause_of_another_version_is_read_as_a_restart() -> None:
    status = msgspec.structs.replace(await predecessor("Live"), open_gap=OpenStreamGap(since=START, cause="eclipse"))
    assert inherited_gaps(status, START + 60 * SECOND).open_gap == OpenGap(START, "restart")


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
async def test_gaps_with_times_that_no_process_measured_are_left_out(year: int) -> None:
    odd, earlier = START.replace(year=year), START - 60 * SECOND
    gaps = [StreamGap(from_=earlier, to=START, cause="stall")]
    gaps += [StreamGap(from_=first, to=last, cause="stall") for first, last in ((odd, START), (START, odd), (odd, odd))]
    status = msgspec.structs.replace(await predecessor("Live"), gaps=gaps)
    assert inherited_gaps(status, START).closed == (gaps[0],)


async def test_a_gap_that_lasts_began_before_this_process_started() -> None:
    later = START.replace(year=9999)
    status = msgspec.structs.replace(await predecessor("Live"), open_gap=OpenStreamGap(since=later, cause="stall"))
    assert inherited_gaps(status, START).open_gap == OpenGap(START, "stall")


def test_a_gap_is_spelled_as_documented() -> None:
    gap = StreamGap(from_=START, to=START, cause="pause")
    assert set(msgspec.to_builtins(gap)) == {"from", "to", "cause"}
