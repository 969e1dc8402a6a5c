"""The IngestJob as the pod has read it."""

from __future__ import annotations

from typing import Any

import msgspec

from sluice_contract.job_policy import JobPolicy
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.resource import IngestJob, ObjectMeta
from sluice_contract.spec import IngestJobSpec
from sluice_contract.spec_reading import StopFields, decode_spec_or_stop_fields, stop_fields, with_stop_fields
from sluice_contract.status import StreamStatus


class DeclaredJob(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the IngestJob, as far as the pod could read it.

    `spec` is the last spec that could be read, with the newest stop fields; None if no spec could be read yet.
    `spec_generation` is the generation of that spec. While the newest spec has an unreadable field, `problem` names it,
    and `spec_generation` is lower than the generation in `metadata`.
    """

    metadata: ObjectMeta
    stops: StopFields
    spec: IngestJobSpec | None
    spec_generation: int = 0
    problem: str = ""
    earlier_stream: StreamStatus | None = None  # the status that the previous process reported
    policy: JobPolicy | None = None  # what the operator derived from the policies that apply to the job

    def with_fallback_spec(self, last: DeclaredJob | None) -> DeclaredJob:
        """Return this version of the job. If its spec could not be read, return it with the spec of `last`, if any.

        The stop fields are always those of this version.
        """
        if self.spec is not None or last is None or last.spec is None:
            return self
        spec = with_stop_fields(last.spec, self.stops)
        return msgspec.structs.replace(self, spec=spec, spec_generation=last.spec_generation)


def parse_declared_job(document: dict[str, Any]) -> DeclaredJob:
    """Return the job from the JSON object of an IngestJob.

    Never raises: `problem` names an unreadable field of the spec, and an invalid status does not affect the spec.
    """
    metadata = decode_readable_fields(document.get("metadata"), ObjectMeta)
    reading = decode_spec_or_stop_fields(document.get("spec"))
    status = document.get("status")
    stream, policy = (status.get("stream"), status.get("policy")) if isinstance(status, dict) else (None, None)
    return DeclaredJob(
        metadata=metadata,
        stops=reading.stops,
        spec=reading.spec,
        spec_generation=metadata.generation if reading.spec is not None else 0,
        problem=reading.problem,
        earlier_stream=decode_readable_fields(stream, StreamStatus) if isinstance(stream, dict) else None,
        policy=decode_readable_fields(policy, JobPolicy) if isinstance(policy, dict) else None,
    )


def to_declared_job(job: IngestJob) -> DeclaredJob:
    """Return the job from an IngestJob whose spec has been validated as a whole."""
    return DeclaredJob(
        metadata=job.metadata,
        stops=stop_fields(job.spec),
        spec=job.spec,
        spec_generation=job.metadata.generation,
        earlier_stream=job.status.stream,
        policy=job.status.policy,
    )
