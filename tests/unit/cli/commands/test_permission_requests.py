from sluice_cli.commands.permission_requests import PermissionRequests
from support.fake_kubectl import FakeKubectl

REVIEWS = "/apis/authorization.k8s.io/v1"
RULES, ACCESS = f"{REVIEWS}/selfsubjectrulesreviews", f"{REVIEWS}/selfsubjectaccessreviews"


def test_a_user_without_rights_gets_a_note_for_each_command() -> None:
    kubectl = FakeKubectl()
    kubectl.answers = {RULES: {"status": {"resourceRules": []}}, ACCESS: {"status": {"allowed": False}}}
    found, unseen = PermissionRequests(kubectl, "acme").findings()
    assert [each.message.partition(" would")[0].removeprefix("kubectl sluice ") for each in found] == [
        "status",
        "pause JOB",
        "pause --fleet",
        "resume JOB",
        "purge JOB",
    ]
    assert unseen == []


def test_rights_that_the_api_server_does_not_list_are_unknown() -> None:
    kubectl = FakeKubectl()
    kubectl.answers = {RULES: {"status": {"incomplete": True}}, ACCESS: {"status": {"allowed": True}}}
    found, [unseen] = PermissionRequests(kubectl, "acme").findings()
    assert (found, unseen.what) == ([], "your permissions")
