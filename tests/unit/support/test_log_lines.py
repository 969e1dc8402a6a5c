import json

import pytest

from support.log_lines import problems, stdout_lines

GOOD = {
    "ts": "2026-03-02T15:00:00.25Z",
    "severity": "INFO",
    "level": "info",
    "logger": "x",
    "event_type": "log",
    "message": "hello",
}


def test_a_line_may_have_fields_of_its_own() -> None:
    assert problems(json.dumps({**GOOD, "job": "acme/us", "epoch": 7, "objects": 3})) == []


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"ts": "2026-03-02 15:00"}, "does not match"),
        ({"severity": "Info"}, "is not one of"),
        ({"level": "error"}, "severity and level differ"),
        ({"logger": ""}, "is too short"),
        ({"event_type": 3}, "is not of type string"),
        ({"job": "us"}, "does not match"),
        ({"epoch": "7"}, "is not of type integer"),
        ({"epoch": -1}, "is too low"),
        ({"exception": None}, "is not of type string"),
        ({"value": float("nan")}, "is not JSON"),
    ],
)
def test_a_field_that_the_schema_does_not_allow_is_named(fields: dict[str, object], part: str) -> None:
    [found] = problems(json.dumps({**GOOD, **fields}))
    assert part in found


def test_the_order_and_the_presence_of_the_first_fields_are_checked() -> None:
    assert "another order" in problems(json.dumps(dict(reversed(GOOD.items()))))[0]
    assert problems(json.dumps({**GOOD, "message": None}).replace('"message": null', '"m": 1'))[0].startswith("message")


@pytest.mark.parametrize("line", ["", "hello", "[]", "null", "Traceback (most recent call last):"])
def test_a_document_that_is_not_an_object_is_rejected(line: str) -> None:
    assert len(problems(line)) == 1


def test_standard_output_is_read_from_the_file_of_a_container_runtime() -> None:
    text = (
        '2026-03-02T15:00:00Z stdout P {"a":\n2026-03-02T15:00:00Z stderr F complaint\n'
        "2026-03-02T15:00:00Z stdout F  1}\n2026-03-02T15:00:01Z stdout F \n2026-03-02T15:00:01Z stdo"
    )
    assert stdout_lines(text) == ['{"a": 1}', ""]
