"""The IngestJob as the pod has read it."""

from __future__ import annotations

from typing import Any

import msgspec

from sluice_contract.lenient import readable_part
from sluice_contract.resource import IngestJob, ObjectMeta
from sluice_contract.spec import IngestJobSpec
from sluice_contract.spec_reading import StopFields, read_spec, stop_fields, with_stops
from sluice_contract.status import StreamStatus


class DeclaredJob(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the job.

    `spec` is the last readable spec with the newest stop fields; None if no spec could be read yet. `spec_generation`
    is the generation of that spec. It is lower than that of `metadata` while `problem` names an unreadable field.
    """

    metadata: ObjectMeta
    stops: StopFields
    spec: IngestJobSpec | None
    spec_generation: int = 0
    problem: str = ""
    earlier_stream: StreamStatus | None = None  # the status that the previous process reported

    def with_last_readable_spec(self, last: DeclaredJob | None) -> DeclaredJob:
        """Return this version; if its spec could not be read, with the spec of the version before it."""
        if self.spec is not None or last is None or last.spec is None:
            return self
        spec = with_stops(last.spec, self.stops)
        return msgspec.structs.replace(self, spec=spec, spec_generation=last.spec_generation)


def parse_declared_job(document: dict[str, Any]) -> DeclaredJob:
    """Return the job from a decoded IngestJob. Never raises: an invalid status does not prevent reading the spec."""
    metadata = readable_part(document.get("metadata"), ObjectMeta)
    reading = read_spec(document.get("spec"))
    status = document.get("status")
    stream = status.get("stream") if isinstance(status, dict) else None
    return DeclaredJob(
        metadata=metadata,
        stops=reading.stops,
        spec=reading.spec,
        spec_generation=metadata.generation if reading.spec is not None else 0,
        problem=reading.problem,
        earlier_stream=readable_part(stream, StreamStatus) if isinstance(stream, dict) else None,
    )


def to_declared_job(job: IngestJob) -> DeclaredJob:
    """Return the job from a fully decoded IngestJob."""
    return DeclaredJob(
        metadata=job.metadata,
        stops=stop_fields(job.spec),
        spec=job.spec,
        spec_generation=job.metadata.generation,
        earlier_stream=job.status.stream,
    )
