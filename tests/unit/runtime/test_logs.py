import logging
from collections.abc import Iterator

import msgspec
import pytest

from sluice_contract.identity import InjectedJob
from sluice_runtime import logs
from sluice_runtime.providers.alpaca.credentials import Credentials
from support.log_lines import FIRST_FIELDS, printed, restored_logging

DOCUMENT = {
    "namespace": "acme",
    "name": "us",
    "uid": "job-1",
    "generation": 1,
    "epoch": 7,
    "projectID": "prod",
    "spec": {"tenant": "fund", "provider": "synthetic", "symbols": ["AAPL"]},
}


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored_logging():
        yield


def test_each_line_names_the_job_of_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO", msgspec.convert(DOCUMENT, InjectedJob))
    logging.getLogger("x").info("hello %s", "world", extra={"event_type": "stream", "state": "Live"})
    [found] = printed(capsys)
    assert list(found) == [*FIRST_FIELDS, "job", "tenant", "epoch", "state"]
    assert (found["event_type"], found["job"], found["tenant"], found["epoch"]) == ("stream", "acme/us", "fund", 7)


def test_libraries_and_tracebacks_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO", msgspec.convert(DOCUMENT, InjectedJob))
    logging.getLogger("google.auth").warning("one")
    logging.getLogger("aiohttp.access").info("two")
    try:
        raise LookupError("why")
    except LookupError:
        logging.getLogger("asyncio").exception("three")
    assert [(each["message"], "exception" in each) for each in printed(capsys)] == [("one", False), ("three", True)]


def test_credentials_never_show_their_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO", msgspec.convert(DOCUMENT, InjectedJob))
    credentials = Credentials("key-id", "very-secret")
    assert "secret" not in repr(credentials) + str(credentials) + f"{credentials}"
    logging.getLogger("x").info("%s %r", credentials, credentials, extra={"of": credentials, "all": [credentials]})
    assert "very-secret" not in str(printed(capsys))
