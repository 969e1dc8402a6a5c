"""One devcluster with Sluice on it, for all integration tests."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from sluice_runtime.ports import Sink
from support.browser import Browser
from support.cluster import sluice_on_devcluster
from support.firestore import default_emulator, running_emulator
from support.page_server import STALE_AFTER_SECONDS, add_member, served_page
from support.plugin import Plugin
from support.sinks import Documents, Opened, opened_sink
from support.site import Tenant
from support.upstream import Upstream

# Chromium logs failed requests. To look for a network, Firestore's client requests an image, which the page forbids.
NETWORK_PROBLEMS = re.compile(r"ERR_INTERNET_DISCONNECTED|cleardot\.gif|status of 403")

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quickstart]:
    """Start a cluster with the CRD, the emulator and the operator. Crashed containers restart after a short backoff."""
    with sluice_on_devcluster(tmp_path_factory.mktemp("devcluster")) as found:
        yield found


@pytest.fixture
def kubectl(site: Quickstart) -> Kubectl:
    """kubectl as the cluster's administrator."""
    return site.kubectl


@pytest.fixture
def tenant(site: Quickstart, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    """A namespace for one test. If the test fails, the state of the namespace is printed."""
    found = Tenant(site.kubectl, site.emulator, f"tenant-{next(_numbers)}")
    failed_before = request.session.testsfailed
    yield found
    if request.session.testsfailed > failed_before:
        _show(site.kubectl, found.name)
    site.kubectl("delete", "namespace", found.name, "--wait=false")


@pytest.fixture
def feed(tenant: Tenant) -> Tenant:
    """A tenant whose job streams."""
    tenant.apply()
    tenant.settled("Streaming")
    return tenant


@pytest.fixture(scope="session")
def plugin(site: Quickstart, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """kubectl sluice, built as users have it, for the cluster of the integration tests."""
    return Plugin(tmp_path_factory.mktemp("plugin"), site.kubeconfig)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with Browser() as running:
        yield running


@pytest.fixture
def url(site: Quickstart, tenant: Tenant, browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The page of the tenant's feed. USER is a member. At the end, the page has logged no error."""
    add_member(site.emulator, tenant.name)
    with served_page(tmp_path, site.emulator, tenant.name, heartbeatStaleAfterSeconds=STALE_AFTER_SECONDS) as address:
        yield address
        problems = browser.problems()
        browser.open("about:blank")
    assert [each for each in problems if not NETWORK_PROBLEMS.search(each)] == []


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Start an Alpaca simulator that accepts the key pair key/secret and sends 200 quotes a second."""
    with Upstream("--quotes-per-second", "200", "--batch", "4") as server:
        yield server


def _show(kubectl: Kubectl, namespace: str) -> None:
    for command in (
        ("get", "ij,pods", "-n", namespace, "-o", "yaml"),
        ("logs", "-n", namespace, "-l", "app.kubernetes.io/name=sluice-ingest", "--tail=60"),
        ("logs", "-n", "sluice-system", "deployment/sluice-operator", "--tail=60"),
    ):
        try:
            print(f"--- kubectl {' '.join(command)}\n{kubectl(*command)}")  # noqa: T201
        except KubectlError as error:
            print(error)  # noqa: T201


@pytest.fixture(scope="session")
def emulator_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the Firestore emulator of all modules. Each has a project or tenants of its own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as host:
        yield host


@pytest.fixture(scope="module")
def emulator(emulator_of_session: str) -> Iterator[str]:
    """The address of the Firestore emulator, which Google's client uses in this module."""
    with default_emulator(emulator_of_session):
        yield emulator_of_session


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fake", "firestore"])
async def opened(request: pytest.FixtureRequest, emulator: str) -> AsyncIterator[Opened]:
    """Open each sink in turn, in the module's PROJECT. Google's client must stay on the event loop that created it."""
    assert emulator
    async with opened_sink(request.param, request.module.PROJECT) as found:
        yield found


@pytest.fixture
def sink(opened: Opened) -> Sink:
    """The sink under test."""
    return opened[0]


@pytest.fixture
def documents(opened: Opened) -> Documents:
    """The documents of the sink under test."""
    return opened[1]
