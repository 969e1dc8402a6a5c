import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.cluster_requests import start_status_requests
from sluice_cli.transport import NoAccessError
from support.fake_kubectl import FakeKubectl, job, pause, stamp

LEASE = {
    "kind": "Lease",
    "metadata": {"name": "sluice-operator", "namespace": "sluice-system"},
    "spec": {"renewTime": stamp()},
}
ALL_KINDS = "ingestjobs.sluice.dev,ingestpauses.sluice.dev,clusteringestpauses.sluice.dev"
PATH = "/apis/sluice.dev/v1alpha1"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("-A", ("get", "--raw", f"{PATH}/ingestjobs")),
        ("-n acme", ("get", "--raw", f"{PATH}/namespaces/acme/ingestjobs")),
        ("", ("get", "ingestjobs.sluice.dev", "-o", "json")),
        ("acme/us", ("get", ALL_KINDS, "-o", "json", "-n", "acme")),
        ("-A -o json", ("get", ALL_KINDS, "-o", "json", "-A")),
    ],
)  # fmt: skip
def test_the_table_reads_only_jobs_and_the_lease(words: str, command: tuple[str, ...]) -> None:
    kubectl = FakeKubectl(job(), pause(), LEASE)
    options = argument_parser(["status"]).parse_args(["status", *words.split()])
    found = start_status_requests(options, kubectl)
    assert kubectl.commands[0] == command
    assert len(kubectl.commands) == 2
    assert [each["kind"] for each in found.listing().objects["IngestJob"]] == ["IngestJob"]
    assert found.operator_lease() == LEASE


def test_jobs_are_needed_and_the_lease_is_not() -> None:
    kubectl = FakeKubectl(job(), denied=("list ingestjobs",))
    found = start_status_requests(argument_parser(["status"]).parse_args(["status", "-A"]), kubectl)
    assert found.operator_lease() is None
    with pytest.raises(NoAccessError):
        found.listing()
