"""What the platform allows to the jobs of all tenants, and the first field of a job that it does not allow."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sluice_contract.pod import PodOptions

from .denials import Denial
from .objects import Job
from .pod_bounds import PodBounds, denied_pod_fields
from .provider_hosts import DEFAULT_PROVIDER_HOSTS, ProviderHost, denied_provider_hosts


class PlatformBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds that the operator's settings set for all jobs."""

    provider_hosts: tuple[ProviderHost, ...] = DEFAULT_PROVIDER_HOSTS
    pod: PodBounds = PodBounds()


def denials_of_job(job: Job, bounds: PlatformBounds) -> Iterator[Denial]:
    """Yield each field of a job that the bounds do not allow. A spec that is not understood has none."""
    if job.spec is not None:
        yield from denied_provider_hosts(job.spec, job.metadata.namespace, bounds.provider_hosts)
        yield from denied_pod_fields(job.spec.pod or PodOptions(), bounds.pod)


def first_denial_of_job(job: Job | None, bounds: PlatformBounds) -> Denial | None:
    """Return the first field of a job that the bounds do not allow; None if they allow the whole job."""
    return next(denials_of_job(job, bounds), None) if job is not None else None
