from __future__ import annotations

import pytest

from sluice_cli.model.sink import sink_of_job
from support.fake_kubectl import Object, job, stamp


def reported(written: int | None, live_at: float, **stream: object) -> Object:
    sink = {"healthy": True} | ({} if written is None else {"writesLastMinute": written})
    history = [{"at": stamp(live_at), "state": "Live"}]
    return job(**{"sink": sink, "history": history, "heartbeat": {"at": stamp(-4)}, **stream})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("document", "rate"),
    [
        (reported(1092, -8040), 18.2),
        (reported(12, -10), 2.0),  # live for 6 s
        (reported(5, -4), 5.0),
        (reported(None, -8040), None),
        (reported(30, -8040, state="Paused"), None),
        (reported(30, -8040, heartbeat={}), None),
    ],
)
def test_the_rate_is_that_of_the_last_minute_or_since_the_stream_is_live(document: Object, rate: float | None) -> None:
    assert sink_of_job(document).rate == rate


def test_the_smaller_limit_applies() -> None:
    document = job()
    document["status"]["policy"] = {"writesPerSecond": 10}
    assert sink_of_job(document).writes_per_second == 10
    assert sink_of_job(job()).writes_per_second == 20
