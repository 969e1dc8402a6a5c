"""The index of document claims with 600 jobs of 2,000 symbols: its memory, and the CPU time of its changes."""

from __future__ import annotations

import gc
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import msgspec

from bench.rows import Row
from sluice_operator.domain import objects
from sluice_operator.domain.document_claims import DocumentClaim, DocumentClaims, document_claim
from sluice_operator.domain.objects import Job

JOBS = 600
SYMBOLS = 2000
MOST_INSERTION_SECONDS = 2.0
MOST_MEMORY = 60.0  # MiB
MOST_CHANGE_MILLISECONDS = 20.0
_CREATED_AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
_CHANGES = 50


def rows() -> list[Row]:
    """Measure the index, with all jobs on the same documents, and its memory also with 1.2 million documents."""
    jobs = [_job(number) for number in range(JOBS)]
    made = [_claim(job) for job in jobs]
    began = time.process_time()
    index = _filled(made)
    insertion = time.process_time() - began
    changes = [_change_seconds(index, jobs[number]) for number in range(0, JOBS, JOBS // _CHANGES)]
    del index
    memory = _memory_of_index(made)
    made = [_claim(_job(number, f"J{number}X")) for number in range(JOBS)]
    most_memory = _memory_of_index(made)
    name = f"claims of {JOBS} jobs x {SYMBOLS:,} symbols"
    return [
        _row(f"{name}: CPU time of all insertions", "s", insertion, MOST_INSERTION_SECONDS),
        _row(f"{name}: memory of the index, all on the same documents", "MiB", memory, MOST_MEMORY),
        _row(f"{name}: memory of the index, each on its own documents", "MiB", most_memory, MOST_MEMORY),
        _row(f"{name}: longest change of all symbols of one job", "ms", 1000 * max(changes), MOST_CHANGE_MILLISECONDS),
    ]


def _job(number: int, prefix: str = "S") -> Job:
    meta = {
        "namespace": "acme",
        "name": f"job-{number}",
        "uid": str(number),
        "creationTimestamp": (_CREATED_AT + timedelta(seconds=number)).isoformat(),
    }
    symbols = [f"{prefix}{at}" for at in range(SYMBOLS)]
    heartbeat = {"document": f"job-{number}"}
    spec = {"tenant": "acme", "provider": "synthetic", "symbols": symbols, "heartbeat": heartbeat}
    return objects.decode_job({"metadata": meta, "spec": spec})


def _claim(job: Job) -> DocumentClaim:
    claim = document_claim(job, "demo-bench")
    if claim is None:
        raise ValueError(f"the spec of {job.key} is not understood: {job.problem}")
    return claim


def _filled(made: list[DocumentClaim]) -> DocumentClaims:
    index = DocumentClaims()
    for claim in made:
        index.replace_claim(claim.key, claim)
    return index


def _change_seconds(index: DocumentClaims, job: Job) -> float:
    """Return the CPU time in which all symbols of a job are replaced by others. Then undo the change."""
    spec = msgspec.structs.replace(job.spec, symbols=[f"N{at}" for at in range(SYMBOLS)]) if job.spec else None
    changed = _claim(msgspec.structs.replace(job, spec=spec))
    began = time.process_time()
    index.replace_claim(job.key, changed)
    index.find_conflict(job.key)
    seconds = time.process_time() - began
    index.replace_claim(job.key, _claim(job))
    return seconds


def _memory_of_index(made: list[DocumentClaim]) -> float:
    """Return the MiB that the index takes beside the claims, which the jobs share with it."""
    gc.collect()
    tracemalloc.start()
    index = _filled(made)
    gc.collect()
    found = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    del index
    return found


def _row(name: str, unit: str, figure: float, most: float) -> Row:
    return Row(name=name, unit=unit, ours=figure, target=f"<= {most:g} {unit}", met=figure <= most)
