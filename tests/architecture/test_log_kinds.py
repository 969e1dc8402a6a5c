"""docs/logs.md lists exactly the kinds of events that the runtime logs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "runtime/src").rglob("*.py")))
TABLE = (ROOT / "docs/logs.md").read_text().partition("## Kinds of events")[2].partition("\n### ")[0]
LISTED = set(re.findall(r"^\| `(\w+)` \|", TABLE, re.MULTILINE))
OTHER_LINES = {"log"}


def test_each_kind_of_event_in_the_code_is_on_the_page() -> None:
    used = set(re.findall(r'"event_type": "(\w+)"', SOURCES))
    assert used
    assert used - LISTED == set()


def test_each_kind_of_event_on_the_page_is_in_the_code() -> None:
    assert {kind for kind in LISTED - OTHER_LINES if f'"{kind}"' not in SOURCES} == set()
