"""The commands of the README's section "On your cluster", in order: from nothing to a job that is Ready, and back.

What cannot be reached from a test is replaced: the registry, Alpaca, and Firestore. Each replacement names the text of
the README that it changes, and fails if the README no longer has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_contract.kinds import KINDS
from sluice_devcluster.emulator_documents import PROJECT, read_collection
from sluice_manifests.tools import find_or_build_tools
from support import readme
from support.exchange import AlpacaInCluster
from support.kind import KindCluster
from support.leftovers import cluster_objects_of_sluice, objects_of_namespace
from support.service_account_keys import service_account_key
from support.site import eventually

HEADING = "On your cluster"
TENANT = "yours"
EXCHANGE = "yours-exchange"
EMULATOR = "firestore-emulator.firestore-emulator.svc:8080"
SYMBOLS = {"SPY", "AAPL", "BRK.B"}
VARIABLES, IMAGES, OPERATOR, JOB, UNINSTALL, LEFTOVERS = range(6)
KEPT_IN_CLUSTER = {
    "namespace/sluice-system",
    *(f"customresourcedefinition.apiextensions.k8s.io/{kind.plural}.sluice.dev" for kind in KINDS),
    "apiservice.apiregistration.k8s.io/v1alpha1.sluice.dev",  # the API server creates it for the definition
}
KEPT_IN_TENANT = {
    "configmap/exchange-ca",
    "secret/alpaca",
    "secret/firestore",
    "serviceaccount/sluice-ingest",
    "rolebinding.rbac.authorization.k8s.io/sluice-ingest",
}


def replacements(exchange: AlpacaInCluster) -> dict[str, str]:
    """Return the texts of the README that need what a test cannot reach, each with what takes its place."""
    server = json.dumps(exchange.spec["alpaca"])
    return {
        "docker push": "kind load docker-image",
        "--set defaultFirestoreProject=": (
            f"--set firestoreEmulatorHost={EMULATOR} --set 'providerHosts={{*.svc:*}}' --set defaultFirestoreProject="
        ),
        "kubectl create secret generic firestore": (
            "kubectl create configmap exchange-ca -n $TENANT --from-file=ca.crt=$EXCHANGE_CA\n"
            "kubectl create secret generic firestore"
        ),
        "  alpaca: {feed: iex, credentialsSecretRef: {name: alpaca}}\n": f"  alpaca: {server}\n",
    }


class Shell:
    """Runs blocks of the README with the variables that its first block asks for."""

    def __init__(self, cluster: KindCluster, exchange: AlpacaInCluster, folder: Path) -> None:
        """Write the files that the variables name into `folder`."""
        self._cluster = cluster
        self._blocks = readme.command_blocks(HEADING)
        self._replacements = replacements(exchange)
        keys, account, authority = folder / "alpaca.env", folder / "key.json", folder / "ca.crt"
        keys.write_text("ALPACA_KEY_ID=key\nALPACA_SECRET_KEY=secret\n")
        account.write_text(json.dumps(service_account_key(PROJECT)))
        authority.write_text(exchange.ca_config_map["data"]["ca.crt"])
        self.variables = {
            "REGISTRY": "registry.example.com/team",
            "PROJECT": PROJECT,
            "TENANT": TENANT,
            "ALPACA_KEYS": str(keys),
            "FIRESTORE_KEY": str(account),
        }
        helm = find_or_build_tools(lambda _: None).helm
        self._setup = [f"export PATH={helm.parent}:$PATH EXCHANGE_CA={authority}"]
        self._setup += [f"export {name}={value}" for name, value in self.variables.items()]

    def asked_variables(self) -> list[str]:
        """Return the names of the variables that the README asks for."""
        return re.findall(r"^export ([A-Z_]+)=", self._blocks[VARIABLES], flags=re.MULTILINE)

    def run(self, number: int) -> str:
        """Run a block, and return its output."""
        commands = self._blocks[number]
        for text, other in self._replacements.items():
            commands = commands.replace(text, other)
        return self._cluster.shell("\n".join([*self._setup, commands]))

    def replaced_texts(self) -> list[str]:
        """Return the texts to replace that the README has exactly once."""
        text = "\n".join(self._blocks)
        return [each for each in self._replacements if text.count(each) == 1]

    def all_replaced_texts(self) -> list[str]:
        """Return the texts to replace."""
        return list(self._replacements)


@pytest.fixture
def exchange(cluster: KindCluster) -> Iterator[AlpacaInCluster]:
    """Start the Alpaca simulator that the job streams from."""
    yield AlpacaInCluster(cluster.kubectl, EXCHANGE)
    cluster.kubectl("delete", "namespace", EXCHANGE, "--wait=false")


@pytest.fixture
def bare_cluster(cluster: KindCluster, installed: str) -> Iterator[KindCluster]:
    """Remove Sluice but not the emulator, and install it again afterwards for the other tests."""
    assert installed
    cluster.shell("kubectl delete -k manifests/base --timeout=90s")
    yield cluster
    definitions = " ".join(f"{kind.plural}.sluice.dev" for kind in KINDS)
    cluster.shell(f"kubectl delete crd {definitions} --ignore-not-found")
    cluster.shell(f"kubectl delete namespace sluice-system {TENANT} --ignore-not-found")
    cluster.shell(readme.commands("On a kind cluster"))


@pytest.mark.touches_every_pod
def test_the_commands_install_run_a_job_and_leave_what_the_readme_says(
    bare_cluster: KindCluster, firestore: str, exchange: AlpacaInCluster, tmp_path: Path
) -> None:
    kubectl = bare_cluster.kubectl
    shell = Shell(bare_cluster, exchange, tmp_path)
    assert shell.asked_variables() == list(shell.variables)
    assert shell.replaced_texts() == shell.all_replaced_texts()
    shell.run(IMAGES)
    shell.run(OPERATOR)
    assert "ingestjob.sluice.dev/us-equities condition met" in shell.run(JOB)
    eventually(lambda: symbols_in_firestore(firestore) == SYMBOLS, seconds=60)

    shell.run(UNINSTALL)
    assert set(cluster_objects_of_sluice(kubectl)) == KEPT_IN_CLUSTER
    eventually(lambda: set(objects_of_tenant(bare_cluster)) == KEPT_IN_TENANT, seconds=60)
    eventually(
        lambda: objects_of_namespace(kubectl, "sluice-system") == ["lease.coordination.k8s.io/sluice-operator"],
        seconds=60,
    )  # its pod ends after helm has returned
    assert symbols_in_firestore(firestore) == SYMBOLS

    shell.run(LEFTOVERS)
    assert cluster_objects_of_sluice(kubectl) == []


def symbols_in_firestore(firestore: str) -> set[str]:
    """Return the symbols that have a quote; none while the emulator's first response takes too long."""
    try:
        return {each["symbol"] for each in read_collection(firestore, f"tenants/{TENANT}/live_quotes")}
    except TimeoutError:
        return set()


def objects_of_tenant(cluster: KindCluster) -> list[str]:
    """Return what is in the tenant's namespace."""
    return objects_of_namespace(cluster.kubectl, TENANT)
