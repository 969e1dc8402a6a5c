"""The record of a replacement in the status."""

from __future__ import annotations

from typing import Any

import msgspec

from sluice_contract.lenient import decode_readable_fields
from sluice_contract.status import IngestJobStatus

RECORD: dict[str, Any] = {"startedAt": "2026-03-02T15:00:00Z", "cause": "Operator", "stateBefore": "Streaming"}


def test_a_record_is_read_as_it_is_written() -> None:
    status = decode_readable_fields({"replacement": RECORD}, IngestJobStatus)
    assert msgspec.to_builtins(status)["replacement"] == RECORD


def test_a_cause_of_a_later_version_is_read_as_text() -> None:
    status = decode_readable_fields({"replacement": RECORD | {"cause": "Node"}}, IngestJobStatus)
    assert status.replacement is not None
    assert status.replacement.cause == "Node"


def test_a_malformed_record_prevents_no_reading_of_the_status() -> None:
    status = decode_readable_fields({"epoch": 7, "replacement": {"startedAt": 7}}, IngestJobStatus)
    assert (status.epoch, status.replacement and status.replacement.cause) == (7, "")
