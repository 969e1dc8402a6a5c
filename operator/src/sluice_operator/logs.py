"""The configuration of the operator's logs, with the job that each line is about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sluice_contract import log_lines

from .domain.objects import Job, Key

# kopf adds these attributes to its records; they contain nothing that the message does not.
_IGNORED = ("settings", "k8s_ref", "k8s_skip")


def configure_logging(level: str) -> None:
    """Write all logs of at least `level` to standard output.

    kopf logs a line for each watch event, so its lines below WARNING are dropped unless `level` is DEBUG.
    """
    log_lines.configure_logging(level, log_lines.LogLineFormatter(ignored=_IGNORED))
    logging.getLogger("kopf").setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    logging.getLogger("aiohttp").setLevel("WARNING")
    logging.getLogger("asyncio").setLevel("WARNING")


@contextmanager
def job_fields_in_log_lines(find_job: Callable[[Key], Job | None]) -> Iterator[None]:
    """While the context is open, add fields about the job to log lines.

    A line that names a known job gets `tenant` and `epoch`. A line of kopf about an IngestJob also gets `job`.
    """
    added = _JobFieldsFilter(find_job)
    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(added)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(added)


class _JobFieldsFilter(logging.Filter):
    """A logging filter that removes no record but adds the fields of the job."""

    def __init__(self, find_job: Callable[[Key], Job | None]) -> None:
        super().__init__()
        self._find_job = find_job

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields to the record. Return True, so that the record is logged."""
        name = getattr(record, "job", None) or _job_name_in_kopf_record(record)
        if name is None:
            return True
        namespace, _, job_name = name.partition("/")
        fields: dict[str, object] = {"job": name}
        if (job := self._find_job((namespace, job_name))) is not None:
            fields |= {"tenant": job.spec.tenant if job.spec else None, "epoch": job.status.epoch}
        vars(record).update((field, value) for field, value in fields.items() if value is not None)
        return True


def _job_name_in_kopf_record(record: logging.LogRecord) -> str | None:
    reference = getattr(record, "k8s_ref", None) or {}
    if reference.get("kind") != "IngestJob":
        return None
    return f"{reference.get('namespace')}/{reference.get('name')}"
