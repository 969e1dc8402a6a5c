"""All connections of the operator to the API server go half-open: it soon creates the pod of a new job."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import pytest

from sluice_devcluster.kubectl import Kubectl
from support.deadlines import assert_takes_at_most
from support.packet_loss import half_open
from support.processes import pod_process
from support.site import Tenant, eventually

LEASE = ("lease", "sluice-operator", "-n", "sluice-system")
LIMIT_SECONDS = 30.0


def leading_process(kubectl: Kubectl) -> int:
    """Return the process ID of the leading operator."""
    holder = eventually(lambda: kubectl.get(*LEASE)["spec"].get("holderIdentity"), seconds=30)
    return pod_process("sluice-operator", f"POD_NAME={holder.rpartition('_')[0]}")


def api_server_port(kubectl: Kubectl) -> int:
    """Return the port of the API server on loopback."""
    [cluster] = json.loads(kubectl("config", "view", "-o", "json"))["clusters"]
    port: int | None = urlsplit(cluster["cluster"]["server"]).port
    assert port is not None
    return port


@pytest.mark.parametrize("seconds_before", [0.0, 4.0])
def test_a_new_job_has_its_pod(tenant: Tenant, kubectl: Kubectl, seconds_before: float) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    tenant.run("delete", "ij", "feed")
    eventually(lambda: not tenant.pods())
    operator = leading_process(kubectl)
    with half_open(operator, api_server_port(kubectl)) as lost:
        assert len(lost) >= 3  # two watches and the Lease
        time.sleep(seconds_before)
        with assert_takes_at_most(LIMIT_SECONDS):
            tenant.apply("new")
            eventually(tenant.pods, seconds=120)
        assert leading_process(kubectl) == operator
