from __future__ import annotations

from typing import Any

from sluice_cli.model.fleet import pause_view
from sluice_cli.model.job import status_of_job
from sluice_cli.model.restart_steps import RestartProgress, restart_progress
from support.fake_kubectl import NOW, Object, job, stamp

OLD = {"metadata": {"uid": "old"}}
NEW = {"metadata": {"uid": "new"}}


def progress(pod: Object | None, **stream: Any) -> RestartProgress:
    document = job(**stream)
    return restart_progress(document, status_of_job(document, pause_view({}, {}), NOW), pod, "old", NOW)


def test_the_old_pod_still_streams() -> None:
    assert progress(OLD, podUID="old") == RestartProgress(False, False, False, False, None)


def test_the_old_pod_has_ended() -> None:
    assert progress(None, podUID="old").has_ended
    found = progress(NEW, podUID="old")
    assert (found.has_ended, found.has_new_pod, found.is_live) == (True, False, False)


def test_the_new_pod_is_live_and_has_reported_its_gap() -> None:
    gap = {"from": stamp(1), "to": stamp(4), "cause": "restart"}
    earlier = {"from": stamp(-90), "to": stamp(-60), "cause": "stall"}
    found = progress(NEW, podUID="new", gaps=[earlier, gap])
    assert found.is_live
    assert found.is_settled
    assert found.gap is not None
    assert found.gap.cause == "restart"
    waiting = progress(NEW, podUID="new", gaps=[earlier])
    assert (waiting.gap, waiting.is_settled) == (None, False)
    assert progress(NEW, podUID="new", gaps=[]).gap is None


def test_a_blocked_pod_does_not_go_on() -> None:
    found = progress(NEW, podUID="new", state="Blocked")
    assert (found.is_live, found.is_blocked, found.is_settled) == (False, True, True)
