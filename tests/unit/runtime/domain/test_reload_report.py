from typing import Any

import msgspec
import pytest

from sluice_contract.pause_status import PauseSource
from sluice_runtime.domain.desired import UNREAD, Desired, with_pause
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.domain.reload_report import FileReading, ReloadReport, effect_of_reload
from support.runtime_fakes import desired


def paused(*sources: str) -> Desired:
    first, *others = sources
    return with_pause(
        desired(), PauseInForce(source=first, others=tuple(PauseSource(source=other) for other in others))
    )


def running(generation: int = 1, **spec: Any) -> Desired:
    return msgspec.structs.replace(desired(**spec), generation=generation)


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (running(), paused("file:/enabled"), "the job is paused by file:/enabled"),
        (paused("a"), paused("a"), "the job stays paused by a"),
        (paused("a", "b"), paused("a", "b"), "the job stays paused by a and b"),
        (paused("a", "b"), paused("b"), "the job is still paused, now by b"),
        (paused("a"), running(), "the job is resumed, and all documents are written once"),
        (running(), running(), "the stream continues, and all documents are written once"),
        (
            running(),
            running(2, symbols=["SPY"]),
            "the stream continues with the changes of the job, and all documents are written once",
        ),
        (
            with_pause(desired(), UNREAD),
            with_pause(desired(), UNREAD),
            "the job has not been read yet; the runtime reads the same files before it streams",
        ),
    ],
)
def test_the_effect_compares_the_desired_states(before: Desired, after: Desired, effect: str) -> None:
    assert effect_of_reload(before, after) == effect


def test_the_message_has_every_file_and_the_effect() -> None:
    files = (FileReading(file="/enabled", content="off"), FileReading(file="job.yaml", content="unchanged"))
    report = ReloadReport(files=files, effect="the job is paused by file:/enabled")
    assert report.message == "reloaded /enabled (off), job.yaml (unchanged): the job is paused by file:/enabled"
    assert report.problems == ()
    assert ReloadReport(files=(), effect="e").message == "reloaded no file: e"


def test_the_problems_of_all_files_are_listed() -> None:
    files = tuple(FileReading(file=name, content="not usable", problem=f"{name} is bad") for name in ("a", "b"))
    assert ReloadReport(files=files, effect="e").problems == ("a is bad", "b is bad")
