import pytest

from sluice_runtime.domain.failure import DocumentConflictError, FencedError
from sluice_runtime.domain.heartbeat_owner import StoredHeartbeat, require_takeover_allowed
from support.sinks import heartbeat


def stored(**changes: object) -> StoredHeartbeat:
    fields: dict[str, object] = {
        "job": "acme/fx",
        "job_uid": "other",
        "cluster": "west",
        "epoch": 5,
        "status": "running",
        "interval_seconds": 10.0,
        "age_seconds": 4.0,
    }
    return StoredHeartbeat(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "found",
    [
        stored(age_seconds=30.0),
        stored(status="stopped"),
        stored(job_uid="mine", epoch=7),
        stored(job_uid="mine", epoch=None),
        stored(job="acme/us", cluster="east"),
        stored(interval_seconds=None, age_seconds=45.0),
    ],
)
def test_the_heartbeat_of_a_silent_or_stopped_job_and_the_job_s_own_are_replaced(found: StoredHeartbeat) -> None:
    require_takeover_allowed(found, heartbeat("mine", 7, cluster="east"))


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        (stored(), 26.0),
        (stored(status="paused"), 26.0),
        (stored(status=None), 26.0),
        (stored(interval_seconds=None), 41.0),
        (stored(interval_seconds=10_000.0), 86.0),
        (stored(job="acme/us"), 26.0),
        (stored(job="acme/us", cluster=None), 26.0),
    ],
)
def test_a_fresh_heartbeat_of_another_job_is_a_conflict(found: StoredHeartbeat, seconds: float) -> None:
    with pytest.raises(DocumentConflictError) as caught:
        require_takeover_allowed(found, heartbeat("mine", 7, cluster="east"))
    assert caught.value.retry_after == pytest.approx(seconds)
    assert f"silent for {seconds + 4:.0f} s" in caught.value.message


def test_a_later_process_of_the_same_job_fences_this_one() -> None:
    with pytest.raises(FencedError, match="epoch 8; this is epoch 7"):
        require_takeover_allowed(stored(job_uid="mine", epoch=8), heartbeat("mine", 7))


def test_a_paused_job_waits_for_ten_minutes_of_silence() -> None:
    with pytest.raises(DocumentConflictError):
        require_takeover_allowed(stored(status="stopped", age_seconds=599.0), heartbeat("mine", 7, "paused"))
    require_takeover_allowed(stored(age_seconds=600.0), heartbeat("mine", 7, "paused"))


def test_the_writer_is_named_as_far_as_it_is_known() -> None:
    assert stored().writer == "job acme/fx (uid other, cluster west)"
    assert stored(job=None, cluster=None).writer == "job without a name (uid other, outside a cluster)"
    assert stored(job_uid=None).writer == "job acme/fx (uid unknown, cluster west)"
    assert stored(job=None, job_uid=None).writer == "a writer that names no job"
