import pytest

from sluice_cli.contract import (
    api_path,
    contract,
    pod_name,
    pod_path,
    remedy_of_failure,
    remedy_of_reason,
    resource,
    switch_of_source,
)


def test_the_paths_have_the_version_of_the_api() -> None:
    assert api_path("IngestJob") == "/apis/sluice.dev/v1alpha1/ingestjobs"
    assert api_path("IngestPause", "acme", "x") == "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestpauses/x"
    assert resource("ClusterIngestPause") == "clusteringestpauses.sluice.dev"


def test_the_pod_of_a_job_has_the_name_that_the_operator_gives_it() -> None:
    assert pod_name("us") == "us-ingest"
    assert pod_path("acme", "us") == "/api/v1/namespaces/acme/pods/us-ingest"


def test_only_what_asks_for_an_action_has_a_remedy() -> None:
    assert remedy_of_reason("Refused").startswith("Put valid credentials into the Secret")
    assert remedy_of_reason("Streaming") == remedy_of_reason("OfAnotherVersion") == ""
    assert remedy_of_failure("network").startswith("The stream reconnects by itself")
    assert remedy_of_failure("other") == ""


def test_each_switch_has_its_command() -> None:
    assert switch_of_source("pause:x", "acme", "us").command == "kubectl sluice resume --pause x -n acme"
    assert switch_of_source("spec.enabled", "acme", "us").command == (
        'kubectl patch ij us -n acme --type=merge --field-manager=sluice -p \'{"spec":{"enabled":true}}\''
    )
    assert switch_of_source("file:/etc/a b", "acme", "us").command.endswith("-- rm '/etc/a b'")


def test_a_switch_of_another_version_is_last() -> None:
    found = switch_of_source("newSwitch", "acme", "us")
    assert (found.position, found.command) == (len(contract()["switches"]), "kubectl describe ij us -n acme")


@pytest.mark.parametrize("name", ["fields", "conditions", "failures", "streamStates", "switches"])
def test_the_data_is_there(name: str) -> None:
    assert contract()[name]
