"""Defects that a fault test gives an operator on purpose: the test shows that the rig finds them."""

from __future__ import annotations

from typing import Final

# By name, the lines that change the operator before it starts.
DEFECTS: Final = {
    "deletes pods by force": """
from sluice_operator.adapters import kubernetes
def delete_by_force(self, key, uid, resource_version):
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    return self._send_and_check("DELETE", kubernetes._pod_path(key), body)
kubernetes.KubernetesCluster.delete_pod = delete_by_force
""",
    "repeats an epoch": """
from sluice_operator.domain import facts
facts.next_epoch = lambda _: 1
""",
}
