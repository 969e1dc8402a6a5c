from __future__ import annotations

from sluice_cli.model.field_reference import COLD, HOT, MIXED, FieldReference
from sluice_cli.text.printable import display_width
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.field_text import field_lines, table_lines

RATE = FieldReference("limits.writesPerSecond", "integer", False, HOT, 20, ("at least 1",), "word " * 30, ())
FEED = FieldReference("alpaca.feed", "string", True, COLD, None, (), "The feed.", ())
BOTH = FieldReference("heartbeat", "object", False, MIXED, None, (), "", ("heartbeat.document",))


def test_a_field_is_explained() -> None:
    found = field_lines(RATE, [], Terminal())
    assert found[:5] == [
        "spec.limits.writesPerSecond",
        "  type      integer",
        "  required  no",
        "  default   20",
        "  change    hot: applied on the same connection, without a gap",
    ]
    assert found[5] == "  bound     at least 1"
    assert all(display_width(each) <= 80 for each in found)


def test_the_fields_below_are_a_table() -> None:
    assert field_lines(BOTH, [FEED], Terminal())[-2:] == [
        "FIELD        TYPE    CHANGE  DEFAULT",
        "alpaca.feed  string  cold    required",
    ]
    assert table_lines([RATE, BOTH], Terminal())[1:] == [
        "limits.writesPerSecond  integer  hot           20",
        "heartbeat               object   hot and cold  -",
    ]
    assert table_lines([], Terminal()) == []
