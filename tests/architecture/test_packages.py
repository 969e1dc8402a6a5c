"""No package of the runtime is so large that a reader has to know its folders to find something."""

from collections import Counter
from pathlib import Path

RUNTIME = Path(__file__).resolve().parents[2] / "runtime/src/sluice_runtime"
LARGEST_SHARE = 1 / 3


def lines_by_package() -> Counter[str]:
    """Return the lines of each package directly below the runtime; "" has those of its own modules."""
    lines: Counter[str] = Counter()
    for module in RUNTIME.rglob("*.py"):
        path = module.relative_to(RUNTIME)
        lines[path.parts[0] if len(path.parts) > 1 else ""] += len(module.read_text().splitlines())
    return lines


def test_no_package_has_more_than_a_third_of_the_runtime() -> None:
    lines = lines_by_package()
    total = lines.total()
    assert {"adapters", "domain", "loops", "providers", "sinks", "state"} < set(lines)
    assert {name: count for name, count in lines.items() if count > LARGEST_SHARE * total} == {}
