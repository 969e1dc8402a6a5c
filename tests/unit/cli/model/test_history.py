from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sluice_cli.model.fleet import pause_view
from sluice_cli.model.history import NOT_KEPT, Entry, History, HistorySources, history_of
from support.fake_kubectl import NOW, Object, job, pause, paused_job, stamp

EPOCH_MILLISECONDS = int((NOW - timedelta(hours=3)).timestamp() * 1000)


def history(
    *jobs: Object, pauses: tuple[Object, ...] = (), pods: tuple[Object, ...] = (), events: tuple[Object, ...] = ()
) -> History:
    by_kind = {
        "IngestPause": [each for each in pauses if each["kind"] == "IngestPause"],
        "ClusterIngestPause": [each for each in pauses if each["kind"] != "IngestPause"],
    }
    return history_of(HistorySources(jobs, pause_view(by_kind, {}), pods, events, ()), NOW)


def pod(*statuses: Object, **metadata: Any) -> Object:
    named = {"namespace": "acme", "name": "us-equities-ingest", "creationTimestamp": stamp(-600), **metadata}
    return {
        "kind": "Pod",
        "metadata": named,
        "status": {"containerStatuses": [{"name": "ingest", **each} for each in statuses]},
    }


def event(reason: str, seconds: float, kind: str = "IngestJob", name: str = "us-equities", **fields: Any) -> Object:
    about = {"kind": kind, "namespace": "acme", "name": name}
    return {"involvedObject": about, "reason": reason, "message": "said", "lastTimestamp": stamp(seconds), **fields}


def facts(found: History) -> list[tuple[str, str]]:
    return [(each.kind, each.what) for each in found.entries]


def test_one_timeline_has_states_gaps_pauses_pods_and_events() -> None:
    gaps = [{"from": stamp(-300), "to": stamp(-280), "cause": "disconnect"}]
    states = [{"at": stamp(-280), "state": "Live"}, {"at": stamp(-300), "state": "BackingOff", "reason": "network"}]
    document = job(gaps=gaps, history=states, openGap={"since": stamp(-50), "cause": "stall"})
    symbols = pause("bad", symbols=["AAPL"], by="bob") | {}
    symbols["metadata"]["creationTimestamp"] = stamp(-100)
    events = (event("Refused", -200, type="Warning", count=3), event("Started", -590, "Pod", "us-equities-ingest"))
    found = history(document, pauses=(symbols,), pods=(pod(),), events=(*events, event("Other", -1, name="other")))
    assert facts(found) == [
        ("pod", "us-equities-ingest"),
        ("event", "Started"),
        ("stream", "BackingOff"),
        ("gap", "disconnect"),
        ("stream", "Live"),
        ("event", "Refused"),
        ("pause", "pause:bad"),
        ("gap", "stall"),
    ]
    _, _, failed, gap, live, refused, held, lasting = found.entries
    assert (failed.level, failed.message, live.level) == ("degraded", "network", "running")
    assert (gap.seconds, gap.is_open_gap, lasting.seconds, lasting.is_open_gap) == (20.0, False, None, True)
    assert (refused.level, refused.times) == ("degraded", 3)
    assert (held.by, held.message) == ("bob", 'symbols AAPL · "vendor incident"')
    assert found.not_kept == (NOT_KEPT,)


def test_attempts_that_fail_in_the_same_way_are_one_entry() -> None:
    states = [{"at": stamp(-each), "state": "BackingOff", "reason": "network"} for each in (10, 20, 30)]
    found = history(job(history=[{"at": stamp(-5), "state": "Live"}, *states])).entries
    assert [(each.what, each.times) for each in found] == [("BackingOff", 3), ("Live", 1)]
    assert found[0].at == NOW - timedelta(seconds=30)


def test_a_switch_without_an_object_holds_since_the_pod_confirmed_it() -> None:
    found = history(paused_job("api"))
    [held] = [each for each in found.entries if each.kind == "pause"]
    assert (held.what, held.by, held.at) == ("api", "alice", NOW - timedelta(seconds=1320))


def test_a_declared_pause_of_a_symbol_has_no_begin_and_comes_last() -> None:
    document = job()
    document["spec"]["pausedSymbols"] = [{"symbol": "ON", "reason": "split"}]
    last = history(document).entries[-1]
    assert (last.what, last.at, last.message) == ("spec.pausedSymbols", None, 'symbols ON · "split"')


def test_a_container_that_ended_and_runs_again_is_named() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": stamp(-90)}
    running = {"running": {"startedAt": stamp(-80)}}
    found = history(
        job(history=[]), pods=(pod({"restartCount": 2, "lastState": {"terminated": ended}, "state": running}),)
    )
    assert [each.message for each in found.entries] == [
        "created for epoch 7",
        "the container ended with exit code 137 (OOMKilled)",
        "the container runs again (restart 2)",
    ]


def test_a_pod_that_is_not_visible_began_with_its_epoch() -> None:
    document = job(history=[])
    document["status"] |= {"epoch": EPOCH_MILLISECONDS, "restart": {"count": 4, "nextAt": stamp(30)}}
    created, waiting = history(document).entries
    assert created.at == NOW - timedelta(hours=3)
    assert waiting.message.startswith("4 pods were replaced in a row")
    assert history(job(history=[])).entries == ()  # an epoch that is no time


def test_a_pod_that_goes_is_named() -> None:
    found = history(job(history=[]), pods=(pod(deletionTimestamp=stamp(-1)),))
    assert found.entries[-1].message == "is being deleted"


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"lastTimestamp": None, "series": {"lastObservedTime": stamp(-5), "count": 9}}, -5),
        ({"lastTimestamp": None, "eventTime": stamp(-6)}, -6),
        ({"lastTimestamp": None, "metadata": {"creationTimestamp": stamp(-7)}}, -7),
    ],
)
def test_an_event_has_the_newest_of_its_times(fields: Object, seconds: float) -> None:
    [found] = history(job(history=[]), events=(event("X", 0, **fields),)).entries
    assert found.at == NOW + timedelta(seconds=seconds)


def test_a_period_keeps_what_lasts() -> None:
    gaps = [
        {"from": stamp(-900), "to": stamp(-800), "cause": "stall"},
        {"from": stamp(-700), "to": stamp(-100), "cause": "pause"},
    ]
    held = pause("p", jobs=["us-equities"])
    held["metadata"]["creationTimestamp"] = stamp(-9000)
    found = history(job(gaps=gaps, openGap={"since": stamp(-800), "cause": "stall"}), pauses=(held,))
    since = NOW - timedelta(seconds=300)
    assert facts(found.selected(since, only_gaps=False)) == [("pause", "pause:p"), ("gap", "stall"), ("gap", "pause")]
    assert found.selected(None, only_gaps=True).not_kept == ()
    assert facts(found.selected(None, only_gaps=True)) == [("gap", "stall"), ("gap", "stall"), ("gap", "pause")]


def test_what_a_job_has_dropped_is_said() -> None:
    states = [{"at": stamp(-each), "state": "Live"} for each in range(10)]
    first, _ = history(job(history=states)).not_kept
    assert first == "acme/us-equities keeps its last 10 changes of state: the first one is of 13:59:51Z."


def test_an_entry_knows_its_job() -> None:
    assert Entry(NOW, "acme", "us", "stream", "running", "Live", "").full_name == "acme/us"
