"""The operator's log lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import kopf
import msgspec
import pytest

from sluice_contract.status import IngestJobStatus
from sluice_operator import logs
from sluice_operator.domain.objects import Job, Key
from support.log_lines import FIRST_FIELDS, printed, restored_logging

from .world import KEY, SYNTHETIC, job_of

NAME = "/".join(KEY)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored_logging():
        yield


def find_job(key: Key) -> Job | None:
    """Return the only known job."""
    return msgspec.structs.replace(job_of(SYNTHETIC), status=IngestJobStatus(epoch=7)) if key == KEY else None


def test_a_line_about_no_job_has_the_first_fields_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO")
    with logs.job_fields_in_log_lines(find_job):
        logging.getLogger("sluice_operator.app").info("started")
    assert [list(each) for each in printed(capsys)] == [FIRST_FIELDS]


def test_a_line_about_a_known_job_names_its_tenant_and_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO")
    with logs.job_fields_in_log_lines(find_job):
        logging.getLogger("x").warning("one", extra={"reason": "quota", "job": NAME})
        logging.getLogger("x").warning("two", extra={"job": "acme/unknown"})
    logging.getLogger("x").warning("three", extra={"job": NAME})
    one, two, three = printed(capsys)
    assert list(one)[len(FIRST_FIELDS) :] == ["job", "tenant", "epoch", "reason"]
    assert (one["job"], one["tenant"], one["epoch"]) == (NAME, "acme", 7)
    assert [list(each)[len(FIRST_FIELDS) :] for each in (two, three)] == [["job"], ["job"]]


def test_kopf_s_lines_name_the_job_that_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO")
    namespace, name = KEY
    reference = {"kind": "IngestJob", "namespace": namespace, "name": name}
    with logs.job_fields_in_log_lines(find_job):
        objects = logging.getLogger("kopf.objects")
        objects.warning("one", extra={"k8s_ref": reference, "k8s_skip": True, "settings": kopf.OperatorSettings()})
        objects.warning("two", extra={"k8s_ref": {**reference, "kind": "Pod"}, "k8s_skip": True})
        objects.info("three")
    one, two = printed(capsys)
    assert list(one)[len(FIRST_FIELDS) :] == ["job", "tenant", "epoch"]
    assert list(two) == FIRST_FIELDS


def test_libraries_and_tracebacks_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("INFO")
    try:
        raise LookupError("why")
    except LookupError:
        logging.getLogger("aiohttp.server").exception("one")
    logging.getLogger("asyncio").info("two")
    [one] = printed(capsys)
    assert one["exception"].endswith("LookupError: why")
