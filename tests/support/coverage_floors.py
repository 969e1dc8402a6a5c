"""Compares the coverage of the unit tests with its floors: `python -m support.coverage_floors FOLDER`.

FOLDER has a JSON report of coverage.py for each distribution. The floors are in pyproject.toml.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def percent_covered(summaries: list[dict[str, Any]]) -> float:
    """Return the covered part of all lines and branches in these summaries of files, in percent."""
    covered = sum(each["covered_lines"] + each["covered_branches"] for each in summaries)
    total = sum(each["num_statements"] + each["num_branches"] for each in summaries)
    return 100.0 * covered / total if total else 100.0


def problems(name: str, report: dict[str, Any], floor: float, module_floor: float = 0.0) -> Iterator[str]:
    """Yield a sentence if a distribution is below its floor, and one for each of its modules below `module_floor`."""
    files = {path: each["summary"] for path, each in report["files"].items() if f"/sluice_{name}/" in path}
    if (percent := percent_covered(list(files.values()))) < floor:
        yield f"{name} has {percent:.1f} % coverage, below its floor of {floor} %: add unit tests"
    for path, summary in files.items():
        if (percent := percent_covered([summary])) < module_floor:
            yield f"{path} has {percent:.1f} % coverage, below {module_floor} %: add unit tests"


def main(folder: Path) -> int:
    """Print the problems in the reports of all distributions. Return 1 if there are any, otherwise 0."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["sluice"]["coverage"]
    found: list[str] = []
    for name, floor in settings["floors"].items():
        report = json.loads((folder / f"coverage-{name}.json").read_text())
        module_floor = settings["operator_module_floor"] if name == "operator" else 0.0
        found += problems(name, report, floor, module_floor)
    print("\n".join(found) or "the coverage of the unit tests is at or above its floors")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
