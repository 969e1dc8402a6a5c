"""The IngestJob as this pod understands it."""

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

    `spec` is the last one that was understood, with the newest stop fields; None while none was. `spec_generation` is
    the generation that it is from: less than that of `metadata` while `problem` names a field that is not understood.
    """

    metadata: ObjectMeta
    stops: StopFields
    spec: IngestJobSpec | None
    spec_generation: int = 0
    problem: str = ""
    earlier_stream: StreamStatus | None = None  # what the process before this one reported

    def with_last_understood(self, last: DeclaredJob | None) -> DeclaredJob:
        """Return this version with the spec of the one before it, where this version's own is not understood."""
        if self.spec is not None or last is None or last.spec is None:
            return self
        spec = with_stops(last.spec, self.stops)
        return msgspec.structs.replace(self, spec=spec, spec_generation=last.spec_generation)


def declared_job(document: dict[str, Any]) -> DeclaredJob:
    """Return the job in a decoded IngestJob. Never raises: whatever is in its status, its spec is read."""
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


def understood_job(job: IngestJob) -> DeclaredJob:
    """Return a job that was decoded whole."""
    return DeclaredJob(
        metadata=job.metadata,
        stops=stop_fields(job.spec),
        spec=job.spec,
        spec_generation=job.metadata.generation,
        earlier_stream=job.status.stream,
    )
