"""kubectl port-forward to a pod of devcluster."""

from __future__ import annotations

import subprocess
import urllib.request

from sluice_devcluster import binaries
from sluice_devcluster.quickstart import Quickstart
from support.deadlines import scaled
from support.site import Tenant


def test_a_port_of_a_pod_is_forwarded_for_several_requests(tenant: Tenant, site: Quickstart) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    program = binaries.provide_binaries(lambda _: None).kubectl
    command = [str(program), f"--kubeconfig={site.kubeconfig}", "-n", tenant.name, "port-forward", "pod/feed-ingest"]
    with subprocess.Popen([*command, ":8080"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().partition("127.0.0.1:")[2].split()[0])
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=scaled(10)) as answer:
                assert answer.read() == b"ok\n"
        process.terminate()
