from datetime import UTC, datetime

import yaml

from sluice_cli.views.documents import document, formatted, json_text, plain_fields, yaml_text
from sluice_cli.views.glyphs import GLYPHS
from support.fake_kubectl import NOW

ODD = [
    "on",
    "NO",
    "null",
    "1",
    "1.5",
    "a: b",
    "#x",
    "",
    "two\nlines",
    "é",
    "-",
    "~",
    "2026-11-27",
    "acme/us",
    "0x1f",
    "1e3",
]


def test_a_document_has_its_version_and_kind_first() -> None:
    found = document("StatusList", {"at": NOW, "is_ready": True, "last_quote_at": None, "by": ""})
    assert list(found.items()) == [
        ("apiVersion", "cli.sluice.dev/v1"), ("kind", "StatusList"),
        ("at", "2026-11-27T14:00:00.000Z"), ("ready", True),
    ]  # fmt: skip


def test_nested_values_are_plain_too() -> None:
    found = plain_fields({"pause_until": {"at": datetime(2026, 1, 1, tzinfo=UTC)}, "names": ("a",), "is": 1})
    assert found == {"pauseUntil": {"at": "2026-01-01T00:00:00.000Z"}, "names": ["a"], "is": 1}


def test_yaml_is_read_back_unchanged() -> None:
    value = {
        "texts": ODD,
        "keys": {each: each for each in ODD},
        "nested": [{"a": [1, 2.5, None, True]}, {}, [], [["x"]], {"b": {"c": {}}}],
        "signs": dict(GLYPHS),
    }
    assert yaml.safe_load(yaml_text(value)) == value
    assert yaml.safe_load(json_text(value)) == value


def test_the_option_decides_between_json_and_yaml() -> None:
    assert formatted("json", {"a": 1}) == json_text({"a": 1})
    assert formatted("yaml", {"a": 1}) == yaml_text({"a": 1})
