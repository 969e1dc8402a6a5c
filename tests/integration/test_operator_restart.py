"""The operator's container is killed: its pod keeps the Lease, with the timings that are shipped."""

from __future__ import annotations

import os
import signal

from sluice_devcluster.kubectl import Kubectl
from support.operator_replicas import LEASE, OPERATOR, lease, process, settled_leader
from support.site import eventually

# The Lease lasts 15 s. A replica in another pod could take it only after that.
RESTART_SECONDS = 12.0


def test_a_container_that_restarts_in_the_same_pod_takes_its_own_lease_back(kubectl: Kubectl) -> None:
    kubectl("scale", *OPERATOR, "--replicas=2")
    first = settled_leader(kubectl)
    transitions = kubectl.get(*LEASE)["spec"]["leaseTransitions"]
    killed = process(first)
    os.kill(killed, signal.SIGKILL)
    at = lease(kubectl)[1]
    eventually(lambda: lease(kubectl)[0] == first and lease(kubectl)[1] > at, RESTART_SECONDS)
    assert process(first) != killed
    assert kubectl.get(*LEASE)["spec"]["leaseTransitions"] == transitions
