"""A real devcluster, used through a real kubectl."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.deadlines import assert_takes_at_most, scaled
from support.site import eventually
from support.timed_kubectl import scale_timeouts

Json = dict[str, Any]
PROGRAM = [sys.executable, "-m", "sluice_devcluster"]
SERVER = "exec python3 -m http.server --bind $POD_IP 8080"
POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
CALL_API = """
import os, ssl, sys, urllib.request
base = "/var/run/secrets/kubernetes.io/serviceaccount/"
context = ssl.create_default_context(cafile=base + "ca.crt")
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
namespace = open(base + "namespace").read()
request = urllib.request.Request(f"https://{host}:{port}/api/v1/namespaces/{namespace}/configmaps/settings")
request.add_header("Authorization", "Bearer " + open(base + "token").read())
print(urllib.request.urlopen(request, context=context).status)
"""


WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""


class Kubectl:
    """kubectl against one cluster."""

    def __init__(self, program: str, kubeconfig: str) -> None:
        self._argv = [program, "--kubeconfig", kubeconfig]

    def __call__(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        command = [*self._argv, *map(scale_timeouts, arguments)]
        answer = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=scaled(30))
        assert not check or answer.returncode == 0, answer.stderr
        return answer.stdout + answer.stderr

    def apply(self, *documents: Json) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self("apply", "-f", "-", stdin=json.dumps(listed))

    def pod(self, name: str) -> Json:
        answer = self("get", "pod", name, "--ignore-not-found", "-o", "json")
        return dict(json.loads(answer)) if answer else {}


def pod(name: str, *command: str, container: Json | None = None, **spec: Any) -> Json:
    """Return the manifest of a pod with one container."""
    main = {"name": "main", "image": "ignored", "command": list(command), **(container or {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 2, "containers": [main], **spec},
    }


def config_map(name: str, **data: str) -> Json:
    """Return the manifest of a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Json:
    """Return the manifest of a Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def container_status(found: Json) -> Json:
    """Return the status of a pod's only container; empty before it exists."""
    return dict(next(iter(found.get("status", {}).get("containerStatuses", [])), {}))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("devcluster")
    definitions = directory / "crds"
    definitions.mkdir()
    (definitions / "widgets.yaml").write_text(WIDGETS)
    arguments = ["--crds", str(definitions), "--bin-dir", str(Path(sys.executable).parent)]
    up = [*PROGRAM, "up", "--state", str(directory), *arguments, "--restart-backoff-seconds", "0.5"]
    subprocess.run(up, check=True)
    yield directory
    subprocess.run([*PROGRAM, "down", "--state", str(directory)], check=True)


@pytest.fixture(scope="module")
def kubectl(state: Path) -> Kubectl:
    built = subprocess.run([*PROGRAM, "build"], check=True, capture_output=True, text=True)
    program = shutil.which("kubectl") or built.stdout.split()[-1]
    path = subprocess.run([*PROGRAM, "kubeconfig", "--state", str(state)], check=True, capture_output=True, text=True)
    client = Kubectl(program, path.stdout.strip())
    client.apply(config_map("settings", colour="blue"), secret("key", value="first"))
    return client


def test_up_is_idempotent_and_everything_runs(state: Path) -> None:
    again = subprocess.run([*PROGRAM, "up", "--state", str(state)], check=True, capture_output=True, text=True)
    assert "already up" in again.stderr
    status = subprocess.run([*PROGRAM, "status", "--state", str(state)], check=False, capture_output=True)
    assert status.returncode == 0


def test_a_pod_sees_its_environment_and_its_log_is_kept_with_times(kubectl: Kubectl) -> None:
    variables = [
        POD_IP,
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "key", "key": "value"}}},
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ALL", "value": "$(NAME) $(COLOUR) $(SECRET) $(NOBODY)"},
    ]
    command = ("sh", "-c", "echo $ALL; echo $POD_IP >&2; echo done >/dev/termination-log")
    with assert_takes_at_most(8):
        kubectl.apply(pod("environment", *command, container={"env": variables}, restartPolicy="Never"))
        ended = eventually(lambda: container_status(kubectl.pod("environment")).get("state", {}).get("terminated"))
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (0, "Completed", "done\n")
    found = kubectl.pod("environment")
    assert found["status"]["phase"] == "Succeeded"
    assert sorted(kubectl("logs", "environment").split("\n")) == sorted(
        ["environment blue first $(NOBODY)", found["status"]["podIP"], ""]
    )
    assert kubectl("logs", "environment", "--timestamps", "--tail=1").startswith("20")


def test_a_mounted_secret_is_refreshed_and_leaves_no_trace_on_the_machine(kubectl: Kubectl) -> None:
    volumes = [
        {"name": "key", "secret": {"secretName": "key"}},
        {"name": "late", "secret": {"secretName": "late", "optional": True}},
        {"name": "scratch", "emptyDir": {}},
    ]
    mounts = [
        {"name": "key", "mountPath": "/etc/devcluster-test/key"},
        {"name": "late", "mountPath": "/devcluster-test/late"},
        {"name": "scratch", "mountPath": "/tmp"},
    ]
    loop = (
        "touch /tmp/mine; while true; do cat /etc/devcluster-test/key/value /devcluster-test/late/* "
        "2>/dev/null; ls /tmp; sleep 0.1; done"
    )
    kubectl.apply(pod("mounted", "sh", "-c", loop, container={"volumeMounts": mounts}, volumes=volumes))
    eventually(lambda: "firstmine" in kubectl("logs", "mounted", check=False))
    kubectl.apply(secret("key", value="second"), secret("late", value="arrived"))
    eventually(lambda: "secondarrivedmine" in kubectl("logs", "mounted", "--tail=1"))
    assert not any(map(Path.exists, (Path("/etc/devcluster-test"), Path("/devcluster-test"), Path("/tmp/mine"))))
    kubectl("delete", "pod", "mounted", "--now")


def test_the_service_account_token_is_accepted_by_the_api_server(kubectl: Kubectl) -> None:
    kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
    kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:default")
    kubectl.apply(pod("caller", "python3", "-c", CALL_API, restartPolicy="Never"))
    eventually(lambda: kubectl.pod("caller")["status"]["phase"] in {"Succeeded", "Failed"})
    assert kubectl("logs", "caller") == "200\n"


def test_a_crashing_container_is_restarted_with_a_backoff(kubectl: Kubectl) -> None:
    kubectl.apply(pod("crashing", "sh", "-c", "exit 3"))

    def backing_off() -> Json | None:
        found = container_status(kubectl.pod("crashing"))
        return found if found.get("restartCount", 0) >= 2 and "waiting" in found["state"] else None

    found = eventually(backing_off)
    assert found["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["lastState"]["terminated"]["exitCode"] == 3
    kubectl("delete", "pod", "crashing")
    assert kubectl.pod("crashing") == {}


def test_the_log_of_the_previous_run_is_kept(kubectl: Kubectl) -> None:
    script = "ls /scratch; [ -e /scratch/once ] && exec sleep 1000; touch /scratch/once; echo first; exit 1"
    container = {"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    scratch = [{"name": "scratch", "emptyDir": {}}]
    kubectl.apply(pod("forgetful", "sh", "-c", script, container=container, volumes=scratch))
    eventually(lambda: kubectl("logs", "forgetful", check=False) == "once\n")
    assert kubectl("logs", "forgetful", "--previous") == "first\n"
    kubectl("delete", "pod", "forgetful", "--now")


def test_a_failed_liveness_probe_restarts_the_container(kubectl: Kubectl) -> None:
    script = "cd /scratch; touch alive; (sleep 1; rm alive) & " + SERVER
    probe = {"httpGet": {"path": "/alive", "port": "web"}, "periodSeconds": 1}
    container = {
        "env": [POD_IP],
        "ports": [{"name": "web", "containerPort": 8080}],
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        "startupProbe": {**probe, "failureThreshold": 20},
        "livenessProbe": {**probe, "failureThreshold": 1},
    }
    scratch = [{"name": "scratch", "emptyDir": {}}]
    kubectl.apply(pod("unhealthy", "sh", "-c", script, container=container, volumes=scratch))
    eventually(lambda: container_status(kubectl.pod("unhealthy")).get("restartCount", 0) >= 1)
    assert "failed liveness probe" in kubectl("get", "events", "--field-selector", "reason=Killing")
    kubectl("delete", "pod", "unhealthy", "--now")


def test_two_pods_listen_on_the_same_port(kubectl: Kubectl) -> None:
    container = {
        "env": [POD_IP],
        "workingDir": "/home/pod",
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    kubectl.apply(*(pod(name, "sh", "-c", SERVER, container=container) for name in ("left", "right")))
    kubectl("wait", "--for=condition=Ready", "pod/left", "pod/right", "--timeout=20s")
    assert kubectl.pod("left")["status"]["podIP"] != kubectl.pod("right")["status"]["podIP"]
    kubectl("delete", "pod", "left", "right", "--now")


def test_a_deleted_pod_is_killed_after_its_grace_period(kubectl: Kubectl) -> None:
    polite = "trap 'echo bye; exit 0' TERM; while true; do sleep 0.05; done"
    kubectl.apply(
        pod("polite", "sh", "-c", polite), pod("deaf", "sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    )
    kubectl("wait", "--for=condition=Ready", "pod/polite", "pod/deaf", "--timeout=10s")
    time.sleep(0.3)
    with assert_takes_at_most(3):
        kubectl("delete", "pod", "polite")
    started = time.monotonic()
    with assert_takes_at_most(8):
        kubectl("delete", "pod", "deaf")
    assert time.monotonic() - started > 1.5


def test_a_deployment_is_scaled_to_one_and_to_zero(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "scaled", "--image=ignored", "--", "sleep", "1000")
    kubectl("rollout", "status", "deployment/scaled", "--timeout=10s")
    kubectl("scale", "deployment/scaled", "--replicas=0")
    eventually(lambda: "No resources" in kubectl("get", "pods", "-l", "app=scaled"))


def test_a_pod_that_cannot_start_says_why(kubectl: Kubectl) -> None:
    missing = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "a"}}}]
    kubectl.apply(
        pod("unconfigured", "sleep", "1", container={"env": missing}),
        pod("commandless"),
        pod("elsewhere", "sleep", "1", nodeSelector={"disk": "ssd"}),
    )
    eventually(lambda: "CreateContainerConfigError" in kubectl("get", "pod", "unconfigured"))
    eventually(lambda: "CreateContainerError" in kubectl("get", "pod", "commandless"))
    eventually(lambda: "Unschedulable" in json.dumps(kubectl.pod("elsewhere")["status"]))


def test_a_restricted_namespace_rejects_a_privileged_pod(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "strict")
    kubectl("label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted")
    privileged = pod("privileged", "true", container={"securityContext": {"privileged": True}})
    refusal = kubectl("-n", "strict", "apply", "-f", "-", stdin=json.dumps(privileged), check=False)
    assert 'violates PodSecurity "restricted' in refusal


def test_definitions_given_to_up_are_served_and_their_owners_collected(kubectl: Kubectl) -> None:
    owner = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "owner"}}
    kubectl.apply(owner)
    uid = kubectl("get", "widget", "owner", "-o", "jsonpath={.metadata.uid}")
    owned = config_map("owned")
    reference = {"apiVersion": "example.org/v1", "kind": "Widget", "name": "owner", "uid": uid}
    owned["metadata"]["ownerReferences"] = [reference]
    kubectl.apply(owned)
    kubectl("delete", "widget", "owner")
    eventually(lambda: "NotFound" in kubectl("get", "configmap", "owned", check=False))


def test_a_killed_agent_is_replaced_and_its_pods_run_again(state: Path, kubectl: Kubectl) -> None:
    kubectl.apply(pod("survivor", "sleep", "1000"))
    kubectl("wait", "--for=condition=Ready", "pod/survivor", "--timeout=10s")
    address = kubectl.pod("survivor")["status"]["podIP"]
    record = json.loads((state / "processes" / "node-agent.json").read_text())
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(record["pid"])], check=True)
    subprocess.run([*PROGRAM, "up", "--state", str(state)], check=True)
    eventually(lambda: container_status(kubectl.pod("survivor"))["restartCount"] == 1)
    assert kubectl.pod("survivor")["status"]["podIP"] == address
