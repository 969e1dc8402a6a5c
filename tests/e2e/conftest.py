"""Fixtures of the end-to-end tests: one kind cluster, on which Sluice is installed with the README's own commands."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from sluice_devcluster import emulator
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_simulators.alpaca.stream_faults import Mute
from support import exchange, readme
from support.exchange import MUTE_AFTER, MUTED, AlpacaInCluster
from support.kind import ROOT, KindCluster, forwarded
from support.site import Tenant

FOLDER = ROOT / "build/e2e"
IMAGES = Path(__file__).parent / "images"
EMULATOR_IMAGE = "sluice-e2e-firestore-emulator:local"
INSTALL = "On a kind cluster"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[KindCluster]:
    """Create a cluster that has the images of this tree in its node, and nothing installed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    found = KindCluster("sluice-e2e", FOLDER)
    found.build(exchange.IMAGE, IMAGES / "alpaca.Dockerfile", ROOT)
    found.create(os.environ.get("KIND_NODE_IMAGE", ""))
    try:
        found.load(exchange.IMAGE)
        _load_emulator(found)
        yield found
    finally:
        found.delete()


@pytest.fixture(scope="session")
def emulator_image(cluster: KindCluster) -> str:
    """Return the image of this machine's emulator; an empty name, which means Google's image, if it has none."""
    return _build_emulator(cluster)


@pytest.fixture(scope="session")
def installed(cluster: KindCluster) -> str:
    """Install Sluice with the README's commands and return their output."""
    return cluster.shell(readme.commands(INSTALL))


@pytest.fixture(scope="session")
def kubectl(cluster: KindCluster, installed: str) -> Kubectl:
    """Return kubectl as the administrator of the cluster on which Sluice is installed."""
    return cluster.kubectl


@pytest.fixture
def firestore(cluster: KindCluster, kubectl: Kubectl) -> Iterator[str]:
    """Forward the emulator to this machine and yield its host:port."""
    kubectl("rollout", "status", "deployment/firestore-emulator", "-n", "firestore-emulator", "--timeout=60s")
    with forwarded(cluster, "firestore-emulator", "firestore-emulator", 8080) as address:
        yield address


@pytest.fixture
def tenant(cluster: KindCluster, kubectl: Kubectl, firestore: str) -> Iterator[Tenant]:
    """A namespace for one test."""
    found = Tenant(kubectl, firestore, f"tenant-{next(_numbers)}")
    yield found
    cluster.copy_container_logs()
    kubectl("delete", "namespace", found.name, "--wait=false", "--ignore-not-found")


@pytest.fixture
def upstream(kubectl: Kubectl, tenant: Tenant) -> Iterator[AlpacaInCluster]:
    """Start an Alpaca simulator, and create the Secret and ConfigMap that the tenant needs to stream from it."""
    with _provided(kubectl, tenant) as found:
        yield found


@pytest.fixture(scope="session")
def muted(kubectl: Kubectl) -> Iterator[AlpacaInCluster]:
    """Start the server of a job that streams for minutes and then receives nothing more on its first connection.

    Feed `test` has no market hours, so the silence has the same effect on every day.
    """
    tenant = Tenant(kubectl, "", MUTED)
    with _provided(kubectl, tenant) as found:
        found.script(Mute(after=MUTE_AFTER))
        tenant.apply(**found.spec_of(feed="test"))
        yield found
    kubectl("delete", "namespace", tenant.name, "--wait=false")


@pytest.fixture(autouse=True)
def _in_good_time(request: pytest.FixtureRequest) -> None:
    """Before the first other test, start the fixture that takes minutes, if a selected test needs it."""
    wanted = any(item.get_closest_marker("takes_minutes") for item in request.session.items)
    if wanted and request.node.get_closest_marker("touches_every_pod") is None:
        request.getfixturevalue("muted")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks that change the order of the tests."""
    config.addinivalue_line("markers", "touches_every_pod: replaces or ends the pods of other tests; runs first")
    config.addinivalue_line("markers", "takes_minutes: waits for a fixture that starts after these; runs late")
    config.addinivalue_line("markers", "reads_all_logs: checks the logs of the pods of all other tests; runs last")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests that take minutes to the end, so that they wait while the others run."""
    items.sort(key=lambda item: 0 if item.get_closest_marker("touches_every_pod") else 1)
    items.sort(key=lambda item: 1 if item.get_closest_marker("takes_minutes") else 0)
    items.sort(key=lambda item: 1 if item.get_closest_marker("reads_all_logs") else 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the state that a failed test leaves, before its namespace is deleted."""
    report = yield
    kubectl = getattr(item, "funcargs", {}).get("kubectl")
    if report.failed and kubectl is not None:
        _keep(kubectl, FOLDER / item.name.partition("[")[0])
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the measured figures."""
    file = FOLDER / "figures.json"
    for name, figure in json.loads(file.read_text()).items() if file.exists() else ():
        terminalreporter.write_line(f"{name}: median {figure['median']}, worst {figure['worst']}")


@contextmanager
def _provided(kubectl: Kubectl, tenant: Tenant) -> Iterator[AlpacaInCluster]:
    found = AlpacaInCluster(kubectl, f"{tenant.name}-exchange")
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    tenant.kubectl.apply([_in(tenant.name, found.ca_config_map)])
    yield found
    kubectl("delete", "namespace", found.namespace, "--wait=false")


def _build_emulator(cluster: KindCluster) -> str:
    """Build an image of this machine's emulator and return its name; empty if the machine has none."""
    try:
        folder = emulator.find_emulator_jar().parent
    except DevclusterError:
        return ""
    cluster.build(EMULATOR_IMAGE, IMAGES / "firestore-emulator.Dockerfile", folder)
    return EMULATOR_IMAGE


def _load_emulator(cluster: KindCluster) -> None:
    """Load this machine's emulator into the node, under the manifests' image name; without one, the node pulls it."""
    if _build_emulator(cluster):
        cluster.load(EMULATOR_IMAGE)
        cluster.alias(f"docker.io/library/{EMULATOR_IMAGE}", _image_in_the_manifests(cluster))


def _image_in_the_manifests(cluster: KindCluster) -> str:
    documents = yaml.safe_load_all(cluster.kubectl("kustomize", str(ROOT / "manifests/overlays/kind")))
    [deployment] = [
        each for each in documents if (each["kind"], each["metadata"]["name"]) == ("Deployment", "firestore-emulator")
    ]
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def _in(namespace: str, document: dict[str, object]) -> dict[str, object]:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return {**document, "metadata": {**metadata, "namespace": namespace}}


def _keep(kubectl: Kubectl, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kinds = "nodes,namespaces,ingestjobs,pods,deployments,services,leases,events"
    commands = {
        "objects.txt": ("get", "ingestjobs,pods,deployments", "-A", "-o", "wide"),
        "objects.yaml": ("get", kinds, "-A", "-o", "yaml"),
        "events.txt": ("get", "events", "-A", "--sort-by=.lastTimestamp"),
        "operator.log": ("logs", "-n", "sluice-system", "-l", "app.kubernetes.io/name=sluice-operator", "--tail=-1"),
    }
    for pod in kubectl.get("pods", "-A", "-l", "app.kubernetes.io/name=sluice-ingest")["items"]:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        commands[f"{namespace}-{name}.log"] = ("logs", "-n", namespace, name)
    for file, command in commands.items():
        try:
            text = kubectl(*command)
        except KubectlError as error:
            text = str(error)
        (folder / file).write_text(text)
