from datetime import timedelta
from typing import Any

from sluice_cli.commands.installation_requests import InstallationRequests
from sluice_cli.contract import contract
from sluice_cli.transport import Request, Result
from support.fake_kubectl import NOW, Console, FakeKubectl, FakeRequest

VERSION = contract()["apiVersion"]


class DatedKubectl(FakeKubectl):
    """A cluster whose API server is ahead of NOW by some seconds, as the headers of its answers say."""

    def __init__(self, seconds: float, **answers: Any) -> None:
        super().__init__()
        self._date = NOW + timedelta(seconds=seconds)
        self.answers = answers

    def start_verbose(self, path: str) -> Request:
        header = f"I1127 14:00:00.000000 1 round_trippers.go:580]     Date: {self._date:%a, %d %b %Y %H:%M:%S GMT}"
        return FakeRequest(Result(0, "{}", f"{header}\nI1127 14:00:00.000000 1 round_trippers.go:580]     Other: 1"))


def about(kubectl: FakeKubectl, newest_report_seconds: float = 0.0) -> list[str]:
    requests = InstallationRequests(kubectl)
    found = requests.findings(Console(kubectl).context, "", NOW + timedelta(seconds=newest_report_seconds))
    return [each.about for each in found]


def test_the_clock_of_the_api_server_is_that_of_its_answers() -> None:
    assert "Your clock" not in about(DatedKubectl(1))
    assert "Your clock" in about(DatedKubectl(60), 60)
    assert "A node's clock" in about(DatedKubectl(0), 20)


def test_an_absent_lease_means_that_no_replica_leads() -> None:
    assert "The operator" in about(FakeKubectl())


def test_the_fields_of_the_api_server_are_compared_with_those_of_the_plugin() -> None:
    kind = {"group": "sluice.dev", "version": "v1alpha1", "kind": "IngestJob"}
    schema = {"properties": {"spec": {"properties": {"tenant": {"type": "string"}}}}}
    document = {"components": {"schemas": {"job": {**schema, "x-kubernetes-group-version-kind": [kind]}}}}
    kubectl = DatedKubectl(0, **{f"/openapi/v3/apis/{VERSION}": document})
    assert "The CRDs" in about(kubectl)


def test_pod_monitors_are_asked_for_only_where_the_kind_exists() -> None:
    path = "/apis/monitoring.coreos.com/v1/namespaces/sluice-system/podmonitors"
    assert "Monitoring" not in about(DatedKubectl(0))
    assert "Monitoring" in about(DatedKubectl(0, **{path: {"items": []}}))
