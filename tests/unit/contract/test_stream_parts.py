from datetime import UTC, datetime

import msgspec

from sluice_contract.stream_parts import StateChange, WriteBudget

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)


def test_absent_fields_are_not_encoded() -> None:
    assert msgspec.to_builtins(StateChange(at=AT, state="Live")) == {"at": "2026-11-28T08:00:00Z", "state": "Live"}
    budget = WriteBudget(day="2026-11-27", used=1, limit=20_000, resets_at=AT)
    assert msgspec.to_builtins(budget) == {
        "day": "2026-11-27",
        "used": 1,
        "limit": 20_000,
        "resetsAt": "2026-11-28T08:00:00Z",
    }


def test_a_state_of_a_later_version_is_read() -> None:
    assert msgspec.convert({"at": "2026-11-28T08:00:00Z", "state": "Resting"}, StateChange).state == "Resting"
