from __future__ import annotations

import json
from typing import Any

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.restart import run_restart
from sluice_cli.transport import NoAccessError, Request, Result
from support.fake_kubectl import Console, FakeKubectl, FakeRequest, Object, condition, job, pause, paused_job, stamp

GAP = {"from": stamp(1), "to": stamp(3.5), "cause": "restart"}
POD = {"kind": "Pod", "metadata": {"namespace": "acme", "name": "us-equities-ingest", "uid": "old"}}
NEW_POD = {"kind": "Pod", "metadata": {**POD["metadata"], "uid": "new"}}  # type: ignore[dict-item]


def replace_pod(**stream: Any) -> Any:
    """Return what happens after the deletion: a new pod reports this."""

    def change(kubectl: FakeKubectl) -> None:
        kubectl.objects[:] = [job(**{"podUID": "new", "gaps": [GAP], **stream}), NEW_POD]

    return change


def run(words: str, *objects: Object, denied: tuple[str, ...] = (), **stream: Any) -> tuple[int, Console, FakeKubectl]:
    kubectl = FakeKubectl(*objects, denied=denied)
    kubectl.on_change = replace_pod(**stream)
    console = Console(kubectl)
    options = argument_parser(["restart"]).parse_args(["restart", *words.split()])
    return run_restart(options, console.context), console, kubectl


def deleted(kubectl: FakeKubectl) -> list[str]:
    return [each[2] for each in kubectl.commands if each[0] == "delete"]


def test_the_steps_and_the_gap_are_shown() -> None:
    code, console, kubectl = run("us-equities", job(podUID="old"), POD)
    assert (code, console.errors) == (0, "")
    head, *steps, last = console.lines
    assert head == "acme/us-equities: restarting, the pod us-equities-ingest ends its stream first"
    assert [line.split("  ")[-1] for line in steps] == [
        "the old pod has ended",
        "the new pod reports",
        "the stream is live",
    ]
    assert last == "● acme/us-equities: streaming · it cost a gap of 2.5 s: 14:00:01Z → 14:00:03Z"
    assert deleted(kubectl) == ["/api/v1/namespaces/acme/pods/us-equities-ingest"]


def test_a_gap_that_is_not_reported_is_said() -> None:
    _, console, _ = run("us-equities", job(podUID="old"), POD, gaps=[])
    assert console.lines[-1] == "● acme/us-equities: streaming · the pod has reported no gap"


def test_a_paused_job_is_not_restarted() -> None:
    held = pause("incident", jobs=["us-equities"], by="alice")
    code, console, kubectl = run("us-equities", paused_job("pause:incident", "api"), held, POD)
    assert (code, deleted(kubectl)) == (1, [])
    assert console.errors.splitlines() == [
        "acme/us-equities is paused, so there is no stream to restart. End its pause instead:",
        '  pause:incident (alice: "vendor incident"), without an end',
        "    Delete the IngestPause; it can cover other jobs too. Ask alice first.",
        "    → kubectl sluice resume --pause incident -n acme",
        '  api (alice: "vendor incident"), without an end',
        "    Send POST /runtime/ingest/start to the pod, or let the operator create a new one. Ask alice first.",
        "    → kubectl delete pod us-equities-ingest -n acme",
    ]


def test_a_pause_that_has_just_ended_is_resumed_by_itself() -> None:
    document = paused_job("pause:gone")
    code, console, _ = run("us-equities", document, POD)
    assert code == 1
    assert console.errors.splitlines()[-1] == "  → kubectl sluice resume us-equities -n acme"


def test_a_job_without_a_pod_has_nothing_to_restart() -> None:
    stalled = (
        condition("Ready", "False", "Refused", "Alpaca refuses the key."),
        condition("Stalled", "True", "Refused"),
    )
    code, console, _ = run("us-equities", job("us-equities", "acme", *stalled))
    assert code == 1
    assert "acme/us-equities has no pod, so there is nothing to restart." in console.errors
    assert "→ kubectl sluice status us-equities -n acme" in console.errors
    assert "Put valid credentials" in console.errors


def test_a_stream_that_does_not_come_back_is_a_failure() -> None:
    code, console, _ = run("us-equities --timeout 5s", job(podUID="old"), POD, state="BackingOff")
    assert code == 1
    assert console.lines[-2].startswith("▲ acme/us-equities: not streaming yet")
    assert console.lines[-1] == "  → kubectl sluice status us-equities -n acme"


def test_nothing_is_waited_for_with_a_timeout_of_0() -> None:
    code, console, _ = run("us-equities --timeout 0s", job(podUID="old"), POD, state="BackingOff")
    assert (code, len(console.lines)) == (0, 3)


def test_json_has_the_steps_and_the_gap() -> None:
    _, console, _ = run("us-equities -o json", job(podUID="old"), POD)
    found = json.loads("\n".join(console.lines))
    assert found["kind"] == "RestartResult"
    assert [each["what"] for each in found["steps"]][-1] == "the stream is live"
    assert found["gap"]["cause"] == "restart"


class Refusing(FakeKubectl):
    """Refuses the deletion of a pod with these words."""

    def __init__(self, errors: str) -> None:
        super().__init__(job(podUID="old"), POD)
        self._errors = errors

    def start(self, *arguments: str, text: str | None = None) -> Request:
        if arguments[0] == "delete":
            return FakeRequest(Result(1, "", self._errors))
        return super().start(*arguments, text=text)


@pytest.mark.parametrize(
    "errors",
    [
        "Error from server (NotFound): pods not found",
        "Error from server (Conflict): Precondition failed: UID in precondition: old, UID in object meta: new",
    ],
)
def test_a_pod_that_was_replaced_meanwhile_is_left_alone(errors: str) -> None:
    console = Console(Refusing(errors))
    options = argument_parser(["restart"]).parse_args(["restart", "us-equities"])
    assert run_restart(options, console.context) == 1
    assert "was replaced just now, so nothing was deleted" in console.errors


def test_the_permission_to_delete_is_needed() -> None:
    with pytest.raises(NoAccessError):
        run("us-equities", job(podUID="old"), POD, denied=("delete pods",))


def test_an_unknown_job_has_a_hint() -> None:
    assert "Did you mean us-equities?" in run("us-equites", job())[1].errors


def test_pauses_that_cannot_be_seen_are_said() -> None:
    code, console, _ = run("us-equities", job(podUID="old"), POD, denied=("list ingestpauses",))
    assert code == 0
    assert "Not visible: IngestPauses" in console.errors
