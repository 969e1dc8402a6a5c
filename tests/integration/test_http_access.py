"""Who may read a pod's HTTP interface: pods of a real operator, and a pod with a network of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from sluice_contract import identity
from sluice_contract.identity import InjectedJob
from sluice_contract.resource import decode_ingest_job
from support.deadlines import scaled
from support.site import SPEC, Tenant, eventually

TOKEN = "sesame-sesame"
OWN_ADDRESS = "10.250.0.2"
READS = ("/runtime/ingest/status", "/runtime/ingest/symbols")
OPEN = ("/livez", "/readyz", "/metrics")
# A network like that of a pod: a loopback interface, and an address of its own.
IN_OWN_NETWORK = f'ip link set lo up; ip addr add {OWN_ADDRESS}/32 dev lo; mount -t tmpfs none /var/lib; exec "$@"'
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).status)"


def answer(address: str, path: str, token: str | None = None) -> tuple[int, str]:
    """Return the status and the body of the response of a pod."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{address}:{identity.HTTP_PORT}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=scaled(10)) as response:  # noqa: S310  a pod of this machine
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def address_of_ready_pod(tenant: Tenant, **spec: Any) -> str:
    """Apply the job, and return the address of the pod once this version streams."""
    tenant.apply(**spec)
    tenant.settled("Streaming", seconds=40)
    [pod] = tenant.pods()
    return str(pod["status"]["podIP"])


def test_other_pods_read_a_pod_only_with_its_token_or_if_the_job_is_public(tenant: Tenant) -> None:
    address = address_of_ready_pod(tenant)
    for path in READS:
        status, body = answer(address, path)
        assert status == 403
        assert "GET needs a token; name a Secret" in json.loads(body)["error"]
        assert "use kubectl port-forward" in json.loads(body)["error"]
    for path in OPEN:
        status, body = answer(address, path)
        assert (status, [symbol for symbol in SPEC["symbols"] if symbol in body]) == (200, [])

    tenant.secret("http", token=TOKEN)
    address = address_of_ready_pod(tenant, http={"tokenSecretRef": {"name": "http"}})
    eventually(lambda: [answer(address, path, TOKEN)[0] for path in READS] == [200, 200])
    assert [answer(address, path, token)[0] for path in READS for token in (None, "other")] == [403] * 4

    address = address_of_ready_pod(tenant, http={"public": True})
    assert [answer(address, path)[0] for path in READS] == [200, 200]


@contextmanager
def pod_with_own_network(folder: Path) -> Iterator[Callable[[str], str]]:
    """Run the pod's program in a network of its own, without an API server.

    Yield a function that fetches a URL inside this network, and returns the status or the last line of the error.
    """
    job = decode_ingest_job({"metadata": {"name": "feed", "namespace": "acme"}, "spec": {**SPEC, "tenant": "acme"}})
    injected = InjectedJob(
        namespace="acme", name="feed", uid="0b0b", generation=1, epoch=1, project_id="demo-sluice", spec=job.spec
    )
    environment = {
        "PATH": os.environ["PATH"],
        identity.JOB_ENV: msgspec.json.encode(injected).decode(),
        identity.POD_UID_ENV: "b0d",
        identity.POD_IP_ENV: OWN_ADDRESS,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": "1",
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    }
    runtime = str(Path(sys.executable).parent / "sluice-runtime")
    command = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", IN_OWN_NETWORK, "sh", runtime, "run"]
    with (
        (folder / "pod.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as pod,
    ):

        def fetched(url: str) -> str:
            inside = ["nsenter", f"--target={pod.pid}", "--user", "--net", "--preserve-credentials"]
            fetch = [*inside, sys.executable, "-c", FETCH, url]
            done = subprocess.run(fetch, capture_output=True, text=True, timeout=scaled(30), check=False)
            return (done.stdout + done.stderr).strip().rpartition("\n")[2]

        try:
            yield fetched
        finally:
            pod.terminate()
            pod.wait(scaled(20))


def test_a_pod_answers_on_its_loopback_interface_without_a_token(tmp_path: Path) -> None:
    with pod_with_own_network(tmp_path) as fetched:
        eventually(lambda: fetched(f"http://{OWN_ADDRESS}:{identity.HTTP_PORT}/livez") == "200", 30)
        for path in READS:
            assert fetched(f"http://127.0.0.1:{identity.HTTP_PORT}{path}") == "200"
            assert "HTTP Error 403" in fetched(f"http://{OWN_ADDRESS}:{identity.HTTP_PORT}{path}")
