"""Recorded runs, and the report about a later one."""

from pathlib import Path

from bench.compare import changes, report
from bench.recorded_runs import FILE, MOST_RUNS, RecordedRun, add_run, ratios_of_rows, read_runs
from bench.rows import Row

SPEED = Row(name="speed", unit="1/s", ours=1, turn_ratios=(16.04321, 16.1, 16.2), higher_is_better=True)
MEMORY = Row(name="memory", unit="MiB", ours=1)


def recorded(*ratios: float) -> RecordedRun:
    return RecordedRun("abc", "2026-12-01", {"speed": ratios})


def test_only_figures_with_ratios_of_turns_are_recorded_in_four_digits() -> None:
    assert ratios_of_rows([SPEED, MEMORY]) == {"speed": (16.04, 16.1, 16.2)}


def test_the_oldest_runs_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "recorded.json"
    assert read_runs(file) == []
    for number in range(MOST_RUNS + 2):
        add_run(recorded(float(number)), file)
    assert [run.ratios["speed"] for run in read_runs(file)] == [(float(number),) for number in range(2, 2 + MOST_RUNS)]
    assert len(file.read_text().splitlines()) == MOST_RUNS + 2


def test_a_slower_run_is_reported_and_figures_that_were_never_recorded_are_left_out() -> None:
    found = list(changes([SPEED, MEMORY], [recorded(20.0, 20.1, 20.2), recorded(20.3, 20.1)]))
    assert [(name, count, change.is_worse) for name, count, change in found] == [("speed", 2, True)]
    assert report(found) == "speed  worse by 25 % (23 to 27 %), 2 recorded"
    assert report([]) == ""


def test_the_recorded_runs_of_the_repository_can_be_read() -> None:
    runs = read_runs(FILE)
    assert all(ratio > 0 for run in runs for ratios in run.ratios.values() for ratio in ratios)
