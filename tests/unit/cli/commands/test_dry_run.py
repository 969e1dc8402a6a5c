from __future__ import annotations

from typing import Any

import pytest

from sluice_cli.commands.dry_run import DryRun
from sluice_cli.model.plan.plan import Judgement
from sluice_cli.transport import TransportError
from support.fake_kubectl import FakeKubectl, job

INVALID = 'The IngestJob "bad" is invalid: spec.tenant: Required value'


def document(name: str = "feed") -> dict[str, Any]:
    return {"kind": "IngestJob", "metadata": {"namespace": "acme", "name": name}, "spec": {"symbols": ["SPY"]}}


def judge(error: str, *own_namespaces: str) -> Judgement:
    kubectl = FakeKubectl()
    kubectl.refusals["feed"] = error
    [found] = DryRun(kubectl, [document()]).judgements(own_namespaces)
    return found


def test_the_result_is_the_object_as_it_would_be_stored() -> None:
    kubectl = FakeKubectl(job("feed"))
    [found] = DryRun(kubectl, [document()], ["--server-side"]).judgements()
    assert found.result is not None
    assert (found.result["spec"]["symbols"], found.result["spec"]["provider"]) == (["SPY"], "alpaca")
    assert kubectl.commands[0][-1] == "--server-side"


def test_valid_documents_need_one_process_and_a_refused_one_is_found() -> None:
    kubectl = FakeKubectl()
    documents = [document(name) for name in ("a", "bad", "c")]
    assert all(each.result for each in DryRun(kubectl, documents).judgements())
    assert len(kubectl.commands) == 1
    kubectl.refusals["bad"] = INVALID
    found = DryRun(kubectl, documents).judgements()
    assert [(each.result is not None, each.refusal) for each in found] == [(True, ""), (False, INVALID), (True, "")]


@pytest.mark.parametrize(
    "error",
    [
        f"Warning: resource is missing an annotation\n{INVALID}",
        'error: error validating "STDIN": ValidationError(IngestJob.spec): unknown field "x"',
        'Error from server (BadRequest): strict decoding error: unknown field "spec.x"',
        "Error from server (Forbidden): ingestjobs x is forbidden: ValidatingAdmissionPolicy 'p' denied request: no",
    ],
)
def test_a_refusal_has_the_message_without_warnings(error: str) -> None:
    found = judge(error)
    assert (found.result, found.unseen) == (None, "")
    assert found.refusal
    assert "Warning" not in found.refusal


def test_a_long_text_is_passed_whole() -> None:
    documents = [document(f"feed{number}") for number in range(500)]
    assert len(DryRun(FakeKubectl(), documents).judgements()) == 500


def test_what_may_not_be_asked_is_not_judged() -> None:
    error = (
        'Error from server (Forbidden): x is forbidden: User "bob" cannot patch resource "ingestjobs" in API group "a"'
    )
    assert judge(error).unseen == "you may not patch ingestjobs"
    webhook = "Error from server (BadRequest): admission webhook x does not support dry run"
    assert "an admission webhook does not support dry runs" in judge(webhook).unseen


def test_a_namespace_may_be_in_the_same_files() -> None:
    error = 'Error from server (NotFound): error when creating "STDIN": namespaces "acme" not found'
    assert judge(error).refusal == "There is no namespace acme: create it first, or name another one."
    assert judge(error, "acme").unseen == "namespace acme does not exist yet"
    assert judge("Error from server (NotFound): the server could not find it").refusal == "the server could not find it"


def test_an_api_server_that_does_not_answer_is_no_refusal() -> None:
    with pytest.raises(TransportError) as caught:
        judge("Unable to connect to the server: dial tcp 127.0.0.1:9: connect: connection refused")
    assert caught.value.exit_code == 3
