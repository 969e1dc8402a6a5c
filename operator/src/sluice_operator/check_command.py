"""The command `sluice-operator check`: list the stored jobs that this version would not accept in a new job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from .adapters.access import create_client
from .adapters.api import RequestSender
from .adapters.stored_jobs import read_stored_jobs
from .domain.stored_job_checks import STORED_JOB_CHECKS, StoredJobFinding, fields_beyond_platform, findings_about_job
from .ports import ClusterError
from .settings import settings_from_environment

Say = Callable[[str], object]

NOTHING_FOUND: Final = 0
FOUND: Final = 1
NOT_READ: Final = 2


async def run_check(environment: Mapping[str, str], say: Say) -> int:
    """Print a line for each finding, and a last one with the numbers.

    Return 0 if no field has to be corrected, 1 if one has, and 2 if the jobs cannot be read.

    Raises:
        AccessError: there is no usable kubeconfig or service account.
        ValueError: a setting is wrong.
    """
    settings = settings_from_environment(environment)
    checks = (*STORED_JOB_CHECKS, fields_beyond_platform(settings.pod_settings.bounds))
    client = await create_client(environment)
    jobs = lines = actions = 0
    try:
        async for document in read_stored_jobs(RequestSender(client), settings.namespaces):
            findings = findings_about_job(document, checks)
            jobs += 1
            lines += len(findings)
            actions += sum(finding.needs_action for finding in findings)
            for line in lines_about_job(document, findings):
                say(line)
    except (ClusterError, msgspec.MsgspecError) as error:
        say(f"the jobs cannot be read ({error}); check that this account may list ingestjobs, and run it again")
        return NOT_READ
    finally:
        await client.close()  # type: ignore[no-untyped-call]
    say(f"{jobs} jobs, {lines} findings, {actions} of them to correct")
    return FOUND if actions else NOTHING_FOUND


def lines_about_job(document: Mapping[str, Any], findings: Iterable[StoredJobFinding]) -> list[str]:
    """Return one line for each finding, such as `acme/feed: spec.symbols: …`."""
    metadata = document.get("metadata", {})
    name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    return [f"{name}: {finding.field}: {finding.sentence}" for finding in findings]
