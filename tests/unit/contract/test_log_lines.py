import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sluice_contract.log_lines import LogLineFormatter, configure_logging
from support.log_lines import FIRST_FIELDS, problems, restored_logging

PROCESS_FIELDS = {"job": "acme/us", "tenant": "acme", "epoch": 7}


class Token(msgspec.Struct):
    text: str

    def __str__(self) -> str:
        return "a token"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    with restored_logging() as found:
        yield found


def formatted(record: logging.LogRecord, formatter: LogLineFormatter | None = None) -> dict[str, Any]:
    text = (formatter or LogLineFormatter()).format(record)
    assert "\n" not in text
    assert problems(text) == []
    found: dict[str, Any] = json.loads(text)
    return found


def line(message: object, *arguments: object, level: int = logging.INFO, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("x").makeRecord("x", level, "f", 1, message, arguments, None, extra=extra)
    return formatted(record)


def test_the_fields_of_a_line_have_an_order() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "msg": "hello %s", "args": ("world",), "levelno": 30, "created": 0.0, "state": "Live", "epoch": 8}
    )
    found = formatted(record, LogLineFormatter(PROCESS_FIELDS))
    assert list(found) == [*FIRST_FIELDS, "job", "tenant", "epoch", "state"]
    assert list(found.values()) == [
        *("1970-01-01T00:00:00Z", "WARNING", "warning", "x", "log", "hello world"),
        *("acme/us", "acme", 8, "Live"),
    ]


def test_the_job_of_a_record_comes_before_its_other_fields() -> None:
    found = line("x", error="why", epoch=7, job="acme/us")
    assert list(found)[len(FIRST_FIELDS) :] == ["job", "epoch", "error"]


def test_an_event_type_replaces_the_default() -> None:
    assert line("x", event_type="stream")["event_type"] == "stream"


def test_a_time_is_utc() -> None:
    at = datetime(2026, 3, 2, 15, 0, 0, 250_000, tzinfo=UTC)
    assert (
        formatted(logging.makeLogRecord({"created": at.timestamp(), "name": "x", "levelno": 20}))["ts"]
        == "2026-03-02T15:00:00.250000Z"
    )


@pytest.mark.parametrize(
    ("level", "severity"),
    [(0, "DEBUG"), (5, "DEBUG"), (10, "DEBUG"), (25, "INFO"), (30, "WARNING"), (40, "ERROR"), (99, "CRITICAL")],
)
def test_each_level_has_a_severity(level: int, severity: str) -> None:
    found = line("x", level=level)
    assert (found["severity"], found["level"]) == (severity, severity.lower())


def test_extra_fields_cannot_replace_the_common_ones() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "levelno": 20, "ts": 1, "level": "high", "logger": None, "severity": 5, "exception": 1}
    )
    assert list(formatted(record)) == FIRST_FIELDS


def test_a_message_of_several_lines_is_one_log_line() -> None:
    assert line("a\nb")["message"] == "a\nb"


@pytest.mark.parametrize("arguments", [(), (1, 2), ("one",)])
def test_a_message_whose_arguments_do_not_fit_is_logged_with_them(arguments: tuple[object, ...]) -> None:
    assert "%d" in line("%d of %s %s", *arguments)["message"]


def test_an_exception_and_a_stack_are_on_the_same_line() -> None:
    try:
        raise LookupError("why")
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info(), sinfo="Stack:\n  f")
    found = formatted(record)
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("LookupError: why")
    assert found["stack"] == "Stack:\n  f"


def test_values_without_a_json_type_become_text() -> None:
    found = line("x", error=LookupError("why"), number=float("nan"), where=complex(1, 2), names={"a"}, big=2**70)
    assert (found["error"], found["number"], found["where"]) == ("why", None, "(1+2j)")
    assert (found["names"], found["big"]) == (["a"], 2**70)


def test_a_struct_is_never_written_field_by_field() -> None:
    token = Token("very-secret")
    assert "very-secret" not in str(line("%s", token, of=token, listed=[token], named={"a": {token.__str__(): token}}))


def test_text_that_is_not_unicode_is_escaped() -> None:
    found = line("no file \udcff", names=["\udcff"], by_name={"\udcff": 1})
    assert (found["message"], found["names"]) == ("no file \\udcff", ["\\udcff"])


def test_attributes_to_ignore_are_left_out() -> None:
    record = logging.makeLogRecord({"name": "x", "levelno": 20, "settings": 1})
    assert list(formatted(record, LogLineFormatter(ignored=["settings"]))) == FIRST_FIELDS


def test_all_that_is_logged_goes_to_standard_output(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", LogLineFormatter(PROCESS_FIELDS))
    logging.getLogger("some.library").info("one")
    logging.getLogger("some.library").debug("two")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("three", ResourceWarning, stacklevel=1)
        logging.captureWarnings(False)
    printed = capsys.readouterr()
    assert [problems(each) for each in printed.out.splitlines()] == [[], []]
    assert [json.loads(each)["logger"] for each in printed.out.splitlines()] == ["some.library", "py.warnings"]
    assert (printed.err, root.level) == ("", logging.INFO)


def test_uncaught_exceptions_are_log_lines(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", LogLineFormatter(PROCESS_FIELDS))
    error = LookupError("why")
    sys.excepthook(LookupError, error, None)
    thread = threading.Thread(target=lambda: dict[str, int]()["absent"], name="reader")
    thread.start()
    thread.join()
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [problems(each) for each in lines] == [[], []]
    first, second = map(json.loads, lines)
    assert (first["severity"], first["exception"], first["job"]) == ("CRITICAL", "LookupError: why", "acme/us")
    assert "KeyError: 'absent'" in second["exception"]
    assert (second["message"], printed.err) == ("thread reader ended: uncaught KeyError", "")
    assert root.handlers


def test_a_thread_that_exits_is_not_a_log_line(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", LogLineFormatter())
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    assert capsys.readouterr() == ("", "")
    assert root.handlers


def test_an_interrupt_by_the_keyboard_is_not_a_log_line(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("INFO", LogLineFormatter())
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().out == ""
    assert root.handlers
