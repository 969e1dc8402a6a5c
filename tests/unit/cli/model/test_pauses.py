from datetime import timedelta

import pytest

from sluice_cli.model.pauses import JobKey, pause_of
from support.fake_kubectl import NOW, condition, pause, stamp

JOB = JobKey("acme", "us", (("desk", "rates"),), "alpaca", "iex", ("SPY", "AAPL"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (pause(jobs=["us"]), True),
        (pause(jobs=["other"]), False),
        (pause(namespace="beta", jobs=["us"]), False),
        (pause(jobSelector={}), True),
        (pause(jobSelector={"matchLabels": {"desk": "rates"}}), True),
        (pause(jobSelector={"matchLabels": {"desk": "fx"}}), False),
        (pause(), True),  # what selects nothing understandable is in force for every job
        (pause(jobs=["us"], symbols=["AAPL"]), True),
        (pause(jobs=["us"], symbols=["TSLA"]), False),
        (pause(namespace=""), True),
        (pause(namespace="", providers=[{"name": "alpaca"}]), True),
        (pause(namespace="", providers=[{"name": "alpaca", "feeds": ["sip"]}]), False),
        (pause(namespace="", providers=[{"name": "ibkr"}, {"name": "alpaca", "feeds": ["iex"]}]), True),
    ],
)
def test_a_pause_covers_what_it_names_or_selects(document: dict[str, object], expected: bool) -> None:
    assert pause_of(document).covers(JOB) is expected


def test_a_pause_is_in_force_until_its_end() -> None:
    found = pause_of(pause(until=stamp(60)))
    assert found.is_in_force(NOW)
    assert not found.is_in_force(NOW + timedelta(seconds=60))
    assert pause_of(pause()).is_in_force(NOW)


def test_the_source_is_that_of_the_status() -> None:
    assert pause_of(pause("a")).source == "pause:a"
    assert pause_of(pause("a", "")).source == "clusterpause:a"


def test_only_the_condition_of_this_generation_counts() -> None:
    document = pause()
    document["status"] = {
        "acknowledged": "1/1",
        "conditions": [condition("Acknowledged", "True", "NothingSelected") | {"observedGeneration": 1}],
    }
    found = pause_of(document)
    assert (found.is_acknowledged, found.covers_nothing, found.acknowledged) == (True, True, "1/1")
    document["metadata"]["generation"] = 2
    assert not pause_of(document).is_acknowledged
