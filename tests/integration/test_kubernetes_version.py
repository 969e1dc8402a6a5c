"""The tests run on the version of Kubernetes that was chosen for them."""

from __future__ import annotations

import json
import os

from sluice_devcluster import binaries
from sluice_devcluster.kubectl import Kubectl
from sluice_manifests.go_programs import kubernetes_program, pinned_version


def test_the_api_server_has_the_chosen_version(kubectl: Kubectl) -> None:
    module = kubernetes_program("kube-apiserver", binaries.chosen_minor_version(os.environ)).module
    pinned = pinned_version((module / "go.mod").read_text(), "k8s.io/kubernetes")
    assert json.loads(kubectl("get", "--raw", "/version"))["gitVersion"] == pinned
