from typing import Any

from sluice_cli.model.plan.replacement_gaps import replacement_seconds


def job(*gaps: tuple[str, float]) -> dict[str, Any]:
    found = [
        {"cause": cause, "from": "2026-11-27T10:00:00Z", "to": f"2026-11-27T10:00:{seconds:04.1f}Z"}
        for cause, seconds in gaps
    ]
    return {"status": {"stream": {"gaps": found}}}


def test_the_median_of_the_own_restarts_counts_first() -> None:
    own = job(("restart", 3.2), ("restart", 9.0), ("restart", 4.4), ("pause", 50.0))
    assert replacement_seconds(own, [job(("restart", 30.0))]) == 4


def test_other_jobs_help_out_and_without_any_there_is_no_number() -> None:
    assert replacement_seconds(job(("pause", 9.0)), [job(("restart", 0.2))]) == 1
    assert replacement_seconds({}, [job(("disconnect", 2.0))]) is None
