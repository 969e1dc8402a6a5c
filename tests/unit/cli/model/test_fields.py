from datetime import UTC, datetime

from sluice_cli.model.fields import child, flag, instant, items, number, objects, text, texts

JOB = {
    "spec": {"enabled": False, "symbols": ["SPY", True, "A\x1b"], "limits": {"burst": 40}},
    "at": "2026-11-27T14:00:00Z",
}


def test_each_field_is_read_by_its_path() -> None:
    assert child(JOB, "spec", "limits") == {"burst": 40}
    assert number(JOB, "spec", "limits", "burst") == 40
    assert flag(JOB, "spec", "enabled") is False
    assert texts(JOB, "spec", "symbols") == ("SPY", "A?")
    assert instant(JOB, "at") == datetime(2026, 11, 27, 14, tzinfo=UTC)


def test_a_field_of_another_type_counts_as_absent() -> None:
    assert child(JOB, "spec", "symbols", "x") == {}
    assert text(JOB, "spec", "enabled") == ""
    assert number(JOB, "spec", "enabled") is None
    assert flag(JOB, "spec", "limits") is None
    assert items(JOB, "spec", "limits") == []
    assert objects({"a": [1, {"b": 2}]}, "a") == [{"b": 2}]
    assert instant(JOB, "spec", "enabled") is None
    assert child(None, "spec") == child("x") == {}
