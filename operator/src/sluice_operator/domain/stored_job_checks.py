"""The checks of `sluice-operator check`: what of a stored job this version would not accept in a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sluice_contract.stored_documents import refused_parts

from .objects import decode_job
from .platform_bounds import PlatformBounds, denials_of_job


class StoredJobFinding(msgspec.Struct, frozen=True):
    """A field of a stored job, and a sentence that says what is wrong and what to do.

    `needs_action` is false where the operator or the pod writes the field again by itself.
    """

    field: str
    sentence: str
    needs_action: bool = True


StoredJobCheck = Callable[[dict[str, Any]], Iterable[StoredJobFinding]]


def fields_beyond_schema(document: dict[str, Any]) -> Iterable[StoredJobFinding]:
    """Yield the fields that break the schema of this version or its rules."""
    for part in refused_parts(document):
        if part.path.startswith("status"):
            yield StoredJobFinding(
                part.path, "is beyond its bound; nothing to do, because operator and pod write it again", False
            )
        else:
            yield StoredJobFinding(part.path, f"is not accepted in a new job; {part.problem}")


def fields_beyond_platform(bounds: PlatformBounds) -> StoredJobCheck:
    """Return the check of the hosts and values of spec.pod that the operator's settings allow."""

    def denied_fields(document: dict[str, Any]) -> Iterable[StoredJobFinding]:
        for denial in denials_of_job(decode_job(document), bounds):
            yield StoredJobFinding(denial.field, f"gets no new pod; {denial.message}")

    return denied_fields


# Each check takes the whole document as the API server has stored it.
STORED_JOB_CHECKS: tuple[StoredJobCheck, ...] = (fields_beyond_schema,)


def findings_about_job(
    document: dict[str, Any], checks: Iterable[StoredJobCheck] = STORED_JOB_CHECKS
) -> list[StoredJobFinding]:
    """Return the findings of all checks about one stored job."""
    return [finding for check in checks for finding in check(document)]
