"""Argo CD's health checks and actions on real objects: the patch of each action, and the health after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice_devcluster.kubectl import Kubectl
from support.argocd_lua import DATA, action_patch, enabled_actions, health
from support.site import Tenant, eventually

ROOT = Path(__file__).resolve().parents[2]


class Shown:
    """An object as Argo CD shows it."""

    def __init__(self, kubectl: Kubectl, kind: str, name: str, namespace: str = "") -> None:
        self._kubectl = kubectl
        self._reference = (kind, name, *(("-n", namespace) if namespace else ()))

    def wait_for_health(self, status: str) -> str:
        """Wait until the object has this health. Return the message."""
        return eventually(lambda: self._message_if(status))

    def actions(self) -> set[str]:
        """Return the actions that are offered."""
        return enabled_actions(self._live())

    def act(self, action: str) -> None:
        """Send the patch of an action, as Argo CD's server does."""
        patch = json.dumps(action_patch(self._live(), action))
        self._kubectl("patch", *self._reference, "--type=merge", "--field-manager=argocd-server", "-p", patch)

    def _live(self) -> dict[str, Any]:
        return self._kubectl.get(*self._reference)

    def _message_if(self, status: str) -> str:
        found, message = health(self._live())
        return message if found == status else ""


def test_the_actions_of_a_job_pause_and_resume_it(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    job = Shown(kubectl, "ij", "feed", tenant.name)
    job.wait_for_health("Healthy")
    assert job.actions() == {"pause"}
    job.act("pause")
    assert "paused in Argo CD" in job.wait_for_health("Suspended")
    tenant.patch(enabled=False)
    job.wait_for_health("Suspended")
    assert job.actions() == {"resume"}
    job.act("resume")
    job.wait_for_health("Healthy")
    assert tenant.condition("Ready") == ("True", "Streaming")


def test_the_actions_of_a_pause_end_it_and_put_it_in_force_again(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply()
    tenant.settled("Streaming")
    spec = {"jobs": ["feed"], "reason": "incident"}
    found = {"apiVersion": "sluice.dev/v1alpha1", "kind": "IngestPause", "metadata": {"name": "incident"}, "spec": spec}
    kubectl("create", "-n", tenant.name, "-f", "-", text=json.dumps(found))
    pause = Shown(kubectl, "ipause", "incident", tenant.name)
    job = Shown(kubectl, "ij", "feed", tenant.name)
    pause.wait_for_health("Suspended")
    assert "incident" in job.wait_for_health("Suspended")
    assert pause.actions() == {"resume"}
    pause.act("resume")
    pause.wait_for_health("Healthy")
    job.wait_for_health("Healthy")
    eventually(lambda: pause.actions() == {"pause"})
    pause.act("pause")
    pause.wait_for_health("Suspended")
    job.wait_for_health("Suspended")


@pytest.fixture
def concerning_nothing(tenant: Tenant, kubectl: Kubectl) -> Iterator[str]:
    """A ClusterIngestPause and an IngestPolicy of this name, which concern no job."""
    name = f"{tenant.name}-argocd"
    feeds = [{"name": "alpaca", "feeds": ["boats"]}]
    for kind, spec in (
        ("ClusterIngestPause", {"reason": "argocd", "providers": feeds}),
        ("IngestPolicy", {"mode": "Warn", "namespaceSelector": {"matchLabels": {"sluice.dev/tenant": "none"}}}),
    ):
        found = {"apiVersion": "sluice.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        kubectl("create", "-f", "-", text=json.dumps(found))
    yield name
    kubectl("delete", "cipause,ipolicy", name)


def test_pauses_and_policies_of_the_whole_cluster_have_a_health(kubectl: Kubectl, concerning_nothing: str) -> None:
    pause = Shown(kubectl, "cipause", concerning_nothing)
    pause.wait_for_health("Healthy")
    Shown(kubectl, "ipolicy", concerning_nothing).wait_for_health("Healthy")
    pause.act("resume")
    eventually(lambda: pause.actions() == {"pause"})
    pause.act("pause")
    eventually(lambda: pause.actions() == {"resume"})


def test_a_job_that_needs_a_person_is_degraded(tenant: Tenant, kubectl: Kubectl) -> None:
    tenant.apply(pod={"priorityClassName": "not-allowed"})
    Shown(kubectl, "ij", "feed", tenant.name).wait_for_health("Degraded")


def test_the_command_of_the_page_adds_the_customizations_to_argo_cd_s_settings(
    tenant: Tenant, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs/gitops.md").read_text()
    [command] = re.findall(r"^kubectl (patch configmap argocd-cm .*)$", page, re.MULTILINE)
    monkeypatch.chdir(ROOT)
    kubectl("create", "configmap", "argocd-cm", "-n", tenant.name, "--from-literal=url=kept")
    kubectl(*command.replace("-n argocd", f"-n {tenant.name}").split())
    assert kubectl.get("configmap", "argocd-cm", "-n", tenant.name)["data"] == {"url": "kept"} | DATA


def test_the_patch_of_the_flux_kustomization_annotates_each_job(tmp_path: Path, kubectl: Kubectl) -> None:
    flux = yaml.safe_load((ROOT / "manifests/gitops/flux/feeds.yaml").read_text())["spec"]
    (tmp_path / "job.yaml").write_text((ROOT / "manifests/samples/ingestjob.yaml").read_text())
    (tmp_path / "kustomization.yaml").write_text(json.dumps({"resources": ["job.yaml"], "patches": flux["patches"]}))
    objects = [each for each in yaml.safe_load_all(kubectl("kustomize", str(tmp_path))) if each]
    annotated = {each["kind"] for each in objects if "kustomize.toolkit.fluxcd.io/ssa" in str(each["metadata"])}
    assert annotated == {"IngestJob"}
