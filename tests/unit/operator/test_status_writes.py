"""The write of the status of an object, without an API server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sluice_contract.pauses import PauseStatus
from sluice_operator.adapters.pauses import KubernetesPauses
from sluice_operator.adapters.status_writes import write_status
from sluice_operator.ports import ClusterError, Conflict, InternalServerError, NotFound, RequestRefused, Unavailable

PATH = "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestpauses/us"
MANAGER = {"fieldManager": "sluice-operator"}
APPLY = {**MANAGER, "force": "true"}
DOCUMENT = {"kind": "IngestPause", "metadata": {"name": "us"}, "status": {"acknowledged": "1/1"}}


class FakeSender:
    """A RequestSender with one answer for each method: the status of the stored object, or an exception to raise."""

    def __init__(self, **answers: Any) -> None:
        self.requests: list[tuple[str, str, Any, Any]] = []
        self._answers = answers

    async def send_request(self, method: str, path: str, query: Any = None, body: Any = None) -> bytes:
        self.requests.append((method, path, query, body))
        answer = self._answers[method]
        if isinstance(answer, Exception):
            raise answer
        metadata = {"name": "us", "namespace": "acme", "uid": "uid-1"}
        return msgspec.json.encode({"metadata": metadata, "spec": {"jobs": ["us"], "reason": "r"}, "status": answer})


async def written_status(sender: FakeSender, *fields_of_others: str) -> Any:
    """Write the status of DOCUMENT. Return the status after the write."""
    return (await write_status(sender, PATH, DOCUMENT, frozenset(fields_of_others))).status  # type: ignore[arg-type]


async def test_an_apply_that_leaves_no_difference_is_the_only_request() -> None:
    sender = FakeSender(PATCH={"acknowledged": "1/1"})
    assert await written_status(sender) == {"acknowledged": "1/1"}
    assert sender.requests == [("PATCH", f"{PATH}/status", APPLY, DOCUMENT)]


@pytest.mark.parametrize("refusal", [RequestRefused("no"), InternalServerError("schema")])
async def test_the_difference_is_merged_if_the_apply_is_refused(refusal: ClusterError) -> None:
    stored = {"acknowledged": "0/1", "waitingFor": ["us"]}
    sender = FakeSender(PATCH=refusal, GET=stored, MERGE={"acknowledged": "1/1"})
    assert await written_status(sender) == {"acknowledged": "1/1"}
    patch = {"metadata": {"uid": "uid-1"}, "status": {"acknowledged": "1/1", "waitingFor": None}}
    assert sender.requests[1:] == [("GET", PATH, None, None), ("MERGE", f"{PATH}/status", MANAGER, patch)]


async def test_a_refused_apply_of_what_is_stored_writes_nothing() -> None:
    sender = FakeSender(PATCH=RequestRefused("no"), GET={"acknowledged": "1/1"})
    assert await written_status(sender) == {"acknowledged": "1/1"}
    assert [method for method, *_ in sender.requests] == ["PATCH", "GET"]


async def test_the_fields_of_others_stay_and_all_other_fields_are_removed() -> None:
    sender = FakeSender(PATCH={"acknowledged": "1/1", "stream": {"state": "Live"}, "old": 1}, MERGE={})
    await written_status(sender, "stream")
    assert sender.requests[1][3] == {"metadata": {"uid": "uid-1"}, "status": {"old": None}}


@pytest.mark.parametrize("status", [None, 7, []])
async def test_a_stored_status_that_is_no_object_is_replaced(status: Any) -> None:
    sender = FakeSender(PATCH=RequestRefused("no"), GET=status, MERGE={})
    await written_status(sender)
    assert sender.requests[-1][3]["status"] == {"acknowledged": "1/1"}


@pytest.mark.parametrize("failure", [NotFound("gone"), Conflict("uid"), Unavailable("busy")])
async def test_any_other_failure_is_raised_without_another_request(failure: ClusterError) -> None:
    sender = FakeSender(PATCH=failure)
    with pytest.raises(type(failure)):
        await written_status(sender)
    assert len(sender.requests) == 1


@pytest.mark.parametrize(
    ("key", "kind", "path"),
    [
        (("acme", "us"), "IngestPause", PATH),
        (("", "us"), "ClusterIngestPause", "/apis/sluice.dev/v1alpha1/clusteringestpauses/us"),
    ],
)
async def test_the_status_of_a_pause_is_applied_at_its_own_path(key: tuple[str, str], kind: str, path: str) -> None:
    sender = FakeSender(PATCH={"acknowledged": "1/1"})
    pauses = KubernetesPauses(sender)  # type: ignore[arg-type]
    written = await pauses.write_pause_status(key, PauseStatus(acknowledged="1/1"))
    assert written.status == PauseStatus(acknowledged="1/1")
    [(_, sent_to, _, body)] = sender.requests
    assert (sent_to, body["kind"]) == (f"{path}/status", kind)
