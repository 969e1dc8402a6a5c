import json
from pathlib import Path

from support.waits import read_waits, render


def test_the_worst_waits_come_first_and_a_repeated_wait_once(tmp_path: Path) -> None:
    path = tmp_path / "waits.jsonl"
    rows = [("a", "eventually", 1.0, 10.0), ("b", "kubectl", 6.0, 10.0), ("a", "eventually", 4.0, 10.0)]
    path.write_text(
        "".join(json.dumps(dict(zip(("test", "what", "waited", "allowed"), row, strict=True))) + "\n" for row in rows)
    )
    waits = read_waits(path)
    assert [(each.test, each.part) for each in waits] == [("b", 0.6), ("a", 0.4)]
    table = render(waits, 1)
    assert table.splitlines()[0].split() == ["0.60", "6.00", "of", "10.0", "s", "kubectl", "b"]
    assert table.endswith("2 of 2 waits needed more than a third of their deadline")
