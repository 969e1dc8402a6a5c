import json
from typing import Any

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.doctor import run_doctor
from sluice_cli.contract import contract
from sluice_cli.model.installation import ADMISSION_POLICIES
from sluice_cli.transport import NoAccessError
from support.fake_kubectl import Console, FakeKubectl, job, pause, stamp

ALL_RULES = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
REVIEWS = "/apis/authorization.k8s.io/v1"
SYSTEM = "namespaces/sluice-system"


def healthy_cluster(*objects: dict[str, Any], **more: Any) -> FakeKubectl:
    """Return a cluster in which nothing is wrong with the installation."""
    kubectl = FakeKubectl(*objects, **more)
    policies = {"items": [{"metadata": {"name": each}} for each in ADMISSION_POLICIES]}
    lease = {"spec": {"holderIdentity": "sluice-operator-x_1", "renewTime": stamp(), "leaseDurationSeconds": 15}}
    operator = {"name": "operator", "image": "sluice-operator:0.1.0"}
    kubectl.answers = {
        "/apis/sluice.dev/v1alpha1": {"resources": [{"name": each} for each in contract()["kinds"].values()]},
        "/openapi/v3/apis/sluice.dev/v1alpha1": {},
        f"/apis/coordination.k8s.io/v1/{SYSTEM}/leases/sluice-operator": lease,
        f"/apis/apps/v1/{SYSTEM}/deployments/sluice-operator": {
            "spec": {"template": {"spec": {"containers": [operator]}}}
        },
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies": policies,
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings": policies,
        "/api/v1/namespaces/acme/pods": {"items": []},
        "/api/v1/pods": {"items": []},
        f"{REVIEWS}/selfsubjectrulesreviews": {"status": {"resourceRules": [ALL_RULES]}},
        f"{REVIEWS}/selfsubjectaccessreviews": {"status": {"allowed": True}},
    }
    return kubectl


def run(kubectl: FakeKubectl, words: str = "") -> tuple[int, Console]:
    console = Console(kubectl)
    options = argument_parser(["doctor"]).parse_args(["doctor", *words.split()])
    return run_doctor(options, console.context), console


def test_a_healthy_cluster_needs_no_look() -> None:
    code, console = run(healthy_cluster(job()))
    assert (code, console.errors) == (0, "")
    assert console.lines == [
        "Checked: 1 job, 0 pods, 0 Secrets, 0 pauses, 0 policies, the installation, your",
        "         permissions.",
        "Nothing needs a look.",
    ]


def test_a_secret_without_a_key_is_a_problem_and_no_value_is_asked_for() -> None:
    document = job()
    document["spec"]["alpaca"]["credentialsSecretRef"] = {"name": "alpaca"}
    kubectl = healthy_cluster(document)
    kubectl.secrets = {"alpaca": ["ALPACA_KEY_ID"]}
    code, console = run(kubectl)
    assert code == 1
    assert console.lines[0] == "✗ problem  acme/us-equities"
    assert "lacks the key ALPACA_SECRET_KEY" in " ".join(line.strip() for line in console.lines)
    [asked] = [each for each in kubectl.commands if each[:2] == ("get", "secret")]
    assert asked[-1] == 'go-template={{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}'


def test_what_the_user_may_not_see_is_named_and_is_no_problem() -> None:
    document = job()
    document["spec"]["alpaca"]["credentialsSecretRef"] = {"name": "alpaca"}
    kubectl = healthy_cluster(document)
    kubectl.denied = ("get secrets", *(f"get {path}" for path in kubectl.answers))
    code, console = run(kubectl)
    assert code == 0
    unseen = [line.partition(" (")[0] for line in console.lines if line.startswith("Not visible: ")]
    assert [each.removeprefix("Not visible: ") for each in unseen] == [
        "pods",
        "Secrets",
        "the kinds of Sluice",
        "the fields of the CRDs",
        "the operator",
        "the admission policies",
        "the bindings of the admission policies",
        "the operator's version",
        "your permissions",
    ]


def test_a_warning_alone_has_the_exit_code_0() -> None:
    old = pause(jobs=["other"])
    old["metadata"]["creationTimestamp"] = stamp(-200_000)
    code, console = run(healthy_cluster(job(), old))
    assert code == 0
    assert console.lines[-1] == "1 warning."


def test_one_job_is_checked_alone() -> None:
    broken = job("other", heartbeat={"at": stamp(-600)})
    policy = {"kind": "IngestPolicy", "metadata": {"name": "small"}, "spec": {"mode": "Warn"}}
    kubectl = healthy_cluster(job(), broken, policy)
    assert run(kubectl)[0] == 1
    code, console = run(kubectl, "acme/us-equities")
    assert code == 0
    assert console.lines[0].startswith("Checked: 1 job, 0 pods, 0 Secrets, 0 pauses, 0 policies,")


def test_an_unknown_job_has_a_hint() -> None:
    code, console = run(healthy_cluster(job()), "us-equites")
    assert (code, console.lines) == (1, [])
    assert "Did you mean us-equities?" in console.errors


def test_requests_that_nothing_waits_for_are_ended() -> None:
    kubectl = healthy_cluster(denied=("list ingestjobs",))
    with pytest.raises(NoAccessError):
        run(kubectl)
    assert sum(each.is_discarded for each in kubectl.requests) >= 8


def test_a_cluster_without_sluice_has_a_finding() -> None:
    code, console = run(healthy_cluster(unserved=("IngestJob",)))
    assert code == 1
    assert "Sluice is not installed" in "\n".join(console.lines)


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_the_report_is_a_versioned_document(output: str) -> None:
    code, console = run(healthy_cluster(job(heartbeat={"at": stamp(-600)})), f"-o {output}")
    assert code == 1
    if output == "json":
        found = json.loads("\n".join(console.lines))
        assert (found["apiVersion"], found["kind"]) == ("cli.sluice.dev/v1", "DoctorReport")
        [finding] = found["findings"]
        assert (finding["severity"], finding["check"], finding["about"]) == ("problem", "job", "acme/us-equities")
        assert found["counts"] == {"problem": 1}
    else:
        assert "kind: DoctorReport" in console.lines


def test_commands_that_would_fail_are_notes() -> None:
    kubectl = healthy_cluster(job())
    kubectl.answers[f"{REVIEWS}/selfsubjectaccessreviews"] = {"status": {"allowed": False}}
    code, console = run(kubectl)
    assert code == 0
    assert "kubectl sluice pause --fleet would fail" in "\n".join(console.lines)
