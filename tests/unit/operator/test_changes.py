"""How soon a change of a job or of its pod is reconciled."""

from __future__ import annotations

import copy
from typing import Any

from sluice_contract.status import IngestJobStatus
from sluice_operator.domain.changes import Urgency, urgency_of_job_change, urgency_of_pod_change
from sluice_operator.domain.objects import Job, Pod, decode_job, decode_pod

from .world import KEY, NOW, SYNTHETIC, said

STATUS: dict[str, Any] = {"phase": "Pending", "podName": "us-equities-ingest"}


def job(version: str = "1", spec: dict[str, Any] | None = None, **status: Any) -> Job:
    metadata = {"namespace": KEY[0], "name": KEY[1], "uid": "job-1", "generation": 1, "resourceVersion": version}
    return decode_job({"metadata": metadata, "spec": spec or SYNTHETIC, "status": STATUS | status})


def pod(version: str = "1", uid: str = "pod-1", **parts: Any) -> Pod:
    metadata = {"namespace": KEY[0], "name": "us-equities-ingest", "uid": uid, "resourceVersion": version}
    return decode_pod({"metadata": metadata, "spec": {}, "status": {"phase": "Pending"}} | copy.deepcopy(parts))


def urgency(before: Job | None, after: Job | None, written: IngestJobStatus | None = None) -> Urgency:
    return urgency_of_job_change(before, after, lambda status: status == written)


def test_a_job_that_appears_or_disappears_is_reconciled_now() -> None:
    assert (urgency(None, job()), urgency(job(), None)) == ("now", "now")


def test_a_changed_spec_is_reconciled_now() -> None:
    assert urgency(job(), job("2", SYNTHETIC | {"enabled": False})) == "now"


def test_the_operators_own_write_is_not_reconciled() -> None:
    written = job("2", phase="Running")
    assert urgency(job(), written, written.status) == "never"
    assert urgency(job(), job("2"), written.status) == "never"  # nothing that the operator reads


def test_another_clients_change_of_the_operators_fields_is_reconciled_now() -> None:
    assert urgency(job(), job("2", phase="Failed"), job("2", phase="Running").status) == "now"


def test_a_report_is_reconciled_soon_and_that_of_a_stop_now() -> None:
    report = said("pod-1", 1, NOW)
    assert urgency(job(), job("2", stream=report)) == "soon"
    stopped = SYNTHETIC | {"enabled": False}
    assert urgency(job("1", stopped), job("2", stopped, stream=report)) == "now"


def test_a_pod_that_is_gone_is_replaced_now() -> None:
    assert urgency_of_pod_change(job(), pod(), None) == "now"


def test_the_states_of_a_pod_are_reconciled_soon_and_in_a_stopped_job_now() -> None:
    running = pod("2", status={"phase": "Running"})
    assert urgency_of_pod_change(job(), None, pod()) == "soon"
    assert urgency_of_pod_change(job(), pod(), running) == "soon"
    assert urgency_of_pod_change(job(spec=SYNTHETIC | {"enabled": False}), pod(), running) == "now"


def test_a_change_of_a_pod_that_the_operator_does_not_read_is_not_reconciled() -> None:
    assert urgency_of_pod_change(job(), pod(), pod("2")) == "never"
