"""The runtime's log lines: each names the job of the process."""

from __future__ import annotations

import logging

from sluice_contract import log_lines
from sluice_contract.identity import InjectedJob


def configure_logging(level: str, job: InjectedJob) -> None:
    """Write all log lines to standard output, each with the fields of the job."""
    fields = {"job": f"{job.namespace}/{job.name}", "tenant": job.spec.tenant, "epoch": job.epoch}
    log_lines.configure_logging(level, log_lines.LogLineFormatter(fields))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # Google's client hides what its libraries log unless their logger is configured. Below warnings are requests.
    google = logging.getLogger("google")
    google.setLevel(logging.WARNING)
    google.propagate = True
