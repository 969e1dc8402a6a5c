import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from sluice_runtime.adapters.alpaca.credentials import Credentials
from sluice_runtime.logs import JsonFormatter, configure


def line(message: str, *arguments: object, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, message, arguments, None, extra=extra)
    text = JsonFormatter({"job": "acme/us", "epoch": 7}).format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def restored_root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def test_a_line_says_when_how_grave_what_and_whose() -> None:
    found = line("hello %s", "world", event_type="stream", state="Live")
    at = datetime.fromisoformat(found.pop("ts"))
    assert at.tzinfo is not None
    assert found == {
        "level": "info",
        "event_type": "stream",
        "message": "hello world",
        "job": "acme/us",
        "epoch": 7,
        "state": "Live",
    }


def test_what_says_no_event_type_has_one_all_the_same() -> None:
    assert line("hello")["event_type"] == "log"


def test_a_message_of_several_lines_stays_on_one() -> None:
    assert line("a\nb")["message"] == "a\nb"


def test_an_exception_is_on_the_same_line() -> None:
    try:
        raise LookupError("why")
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    text = JsonFormatter({}).format(record)
    assert "\n" not in text
    assert "LookupError: why" in json.loads(text)["exception"]


def test_what_json_does_not_know_is_told_as_text() -> None:
    found = line("hello", error=LookupError("why"), number=float("nan"), where=complex(1, 2))
    assert (found["error"], found["number"], found["where"]) == ("why", None, "(1+2j)")


def test_credentials_never_show_their_secret() -> None:
    credentials = Credentials("key-id", "very-secret")
    assert "secret" not in repr(credentials) + str(credentials) + f"{credentials}"
    assert "very-secret" not in str(line("%s %r", credentials, credentials, of=credentials))


def test_all_that_is_logged_goes_to_standard_output(
    restored_root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("INFO", {"job": "acme/us"})
    logging.getLogger("some.library").info("one")
    logging.getLogger("some.library").debug("two")
    logging.getLogger("aiohttp.access").info("three")
    printed = capsys.readouterr()
    assert [json.loads(each)["message"] for each in printed.out.splitlines()] == ["one"]
    assert printed.err == ""
    assert restored_root.level == logging.INFO
