from sluice_cli.commands.secret_requests import read_secret_findings
from sluice_cli.model.pod_findings import SecretNeed
from support.fake_kubectl import FakeKubectl

NEEDS = [SecretNeed("acme", name, ("token",), "http.tokenSecretRef", "feed") for name in ("good", "bad", "none", "bad")]


def test_each_secret_is_read_once_and_each_need_is_checked() -> None:
    kubectl = FakeKubectl()
    kubectl.secrets = {"good": ["token"], "bad": ["other"]}
    found, unseen, count = read_secret_findings(kubectl, NEEDS)
    assert [each.message.partition(" of ")[0] for each in found] == [
        "the Secret bad",
        "the Secret none",
        "the Secret bad",
    ]
    assert (unseen, count) == ([], 3)
    assert len(kubectl.commands) == 3


def test_secrets_that_may_not_be_read_are_no_problem() -> None:
    found, [unseen], count = read_secret_findings(FakeKubectl(denied=("get secrets",)), NEEDS)
    assert (found, count) == ([], 0)
    assert unseen.why == "you may not get secrets in namespace acme"
