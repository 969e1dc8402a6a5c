from typing import Any

from support.coverage_floors import percent_covered, problems


def summary(covered: int, total: int) -> dict[str, Any]:
    return {"covered_lines": covered, "num_statements": total, "covered_branches": 0, "num_branches": 0}


REPORT = {
    "files": {
        "crds/src/sluice_contract/a.py": {"summary": summary(0, 100)},
        "operator/src/sluice_operator/a.py": {"summary": summary(10, 10)},
        "operator/src/sluice_operator/b.py": {"summary": summary(7, 10)},
    }
}


def test_lines_and_branches_count_alike() -> None:
    assert percent_covered([summary(3, 4) | {"covered_branches": 1, "num_branches": 6}]) == 40.0


def test_a_distribution_below_its_floor_and_a_module_below_the_floor_of_modules_are_named() -> None:
    assert list(problems("operator", REPORT, 90.0, 80.0)) == [
        "operator has 85.0 % coverage, below its floor of 90.0 %: add unit tests",
        "operator/src/sluice_operator/b.py has 70.0 % coverage, below 80.0 %: add unit tests",
    ]


def test_coverage_at_its_floor_is_no_problem() -> None:
    assert list(problems("operator", REPORT, 85.0, 70.0)) == []
