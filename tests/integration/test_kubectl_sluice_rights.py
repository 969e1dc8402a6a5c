"""The table of docs/kubectl-sluice.md about permissions: each command with all of them, and without each one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sluice_devcluster.kubectl import Kubectl
from support.plugin import Plugin
from support.site import Tenant, eventually

PAGE = Path(__file__).resolve().parents[2] / "docs/kubectl-sluice.md"
SYSTEM = "sluice-system"
GROUPS = {
    "leases": "coordination.k8s.io",
    "deployments": "apps",
    "validatingadmissionpolicies": "admissionregistration.k8s.io",
    "validatingadmissionpolicybindings": "admissionregistration.k8s.io",
    "podmonitors": "monitoring.coreos.com",
    **dict.fromkeys(("pods", "pods/log", "pods/portforward", "secrets", "events", "namespaces"), ""),
}
LABEL = {"test": "kubectl-sluice-rights"}
RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}


class Right(NamedTuple):
    """A row: a permission of a command, and what the command does without it."""

    command: str
    verb: str
    resource: str
    where: str
    exit_code: int
    said: str


def table() -> list[Right]:
    """Return the rows of the table."""
    section = PAGE.read_text().split("\n## Permissions\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [
        Right(command, verb, resource, where, int(code), said) for command, verb, resource, where, code, said in cells
    ]


ROWS = table()
COMMANDS = list(dict.fromkeys(each.command for each in ROWS))


def words(command: str, namespace: str) -> list[str]:
    """Return the arguments of a command of the table."""
    reason = ["--reason", "rights"]
    return {
        "status": ["status", "-n", namespace],
        "status JOB": ["status", "feed", "-n", namespace],
        "pause JOB": ["pause", "feed", "-n", namespace, *reason],
        "pause --fleet": ["pause", "--fleet", "--provider", "ibkr", *reason],
        "resume JOB": ["resume", "feed", "-n", namespace, "--timeout", "5s"],
        "plan -f FILE": ["plan", "-f", "-"],
        "version": ["version"],
        "doctor JOB": ["doctor", "feed", "-n", namespace],
        "report JOB": ["report", "feed", "-n", namespace, "-o", str(Path(tempfile.mkdtemp()) / "report.zip")],
        "purge JOB": ["purge", "feed", "-n", namespace],
        "history JOB": ["history", "feed", "-n", namespace],
        "symbols JOB": ["symbols", "feed", "-n", namespace],
        "restart JOB": ["restart", "feed", "-n", namespace, "--timeout", "45s"],
        "logs JOB": ["logs", "feed", "-n", namespace, "--tail", "5"],
        "open JOB": ["open", "feed", "-n", namespace, "--page", "https://feeds.example.com"],
    }[command]


def grants(user: str, rights: list[Right], namespace: str) -> list[dict[str, Any]]:
    """Return a role and a binding for each place, which give a user these rights and no other one."""
    rules: dict[str, list[dict[str, Any]]] = {}
    for each in rights:
        place = {"the namespace": namespace, SYSTEM: SYSTEM}.get(each.where, "")
        group = GROUPS.get(each.resource, "sluice.dev")
        rules.setdefault(place, []).append({"apiGroups": [group], "resources": [each.resource], "verbs": [each.verb]})
    return [document for place, of_place in rules.items() for document in _role_and_binding(user, place, of_place)]


def _role_and_binding(user: str, namespace: str, rules: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield both for a namespace, or for the whole cluster if it is empty."""
    scope = "" if namespace else "Cluster"
    metadata = {"name": user, "labels": LABEL} | ({"namespace": namespace} if namespace else {})
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": f"{scope}Role", "name": user}
    yield {**RBAC, "kind": f"{scope}Role", "metadata": metadata, "rules": rules}
    yield {**RBAC, "kind": f"{scope}RoleBinding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}


@pytest.fixture
def feed(tenant: Tenant, kubectl: Kubectl) -> Iterator[Tenant]:
    """A tenant with a job that streams and one of provider ibkr. Roles and pauses are deleted at the end."""
    # A forwarded port does not reach the loopback interface of a pod here, so the job is public.
    tenant.apply(symbols=["SPY"], http={"tokenSecretRef": {"name": "http"}, "public": True})
    tenant.run("create", "secret", "generic", "http", "--from-literal=token=secret-of-the-test")
    gateway = {"host": "127.0.0.1", "port": 9}
    tenant.apply("gateway", provider="ibkr", ibkr=gateway, symbols=["ES"], heartbeat={"document": "gateway"})
    tenant.settled("Streaming")
    tenant.settled("BackingOff", "gateway")
    yield tenant
    kubectl("delete", "clusterroles,clusterrolebindings", "-l", "test=kubectl-sluice-rights")
    kubectl("delete", "roles,rolebindings", "-n", SYSTEM, "-l", "test=kubectl-sluice-rights")
    kubectl("delete", "cipause", "--all")


def prepare(command: str, feed: Tenant, plugin: Plugin) -> None:
    """End all pauses; before a resume and a purge, pause the job."""
    feed.run("delete", "ipause", "--all")
    feed.kubectl("delete", "cipause", "--all")
    if command.startswith(("resume", "purge")):
        assert plugin.run(*words("pause JOB", feed.name)).returncode == 0
    else:
        feed.settled("Streaming")


def typed_text(command: str, feed: Tenant, case: Right | None) -> str:
    """Return the standard input of a command: the document to plan, or the answers to its questions."""
    if command.startswith("plan"):
        live = feed.job()
        metadata = {name: live["metadata"][name] for name in ("name", "namespace")}
        return json.dumps({**{name: live[name] for name in ("apiVersion", "kind", "spec")}, "metadata": metadata})
    if command == "purge JOB":
        return "feed\n"
    return "1\nall\n" if case is None else "1\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_needs_exactly_the_permissions_of_the_table(command: str, feed: Tenant, plugin: Plugin) -> None:
    rights = [each for each in ROWS if each.command == command]
    eventually(lambda: feed.kubectl("get", "ij", "-A", "--no-headers").count(" ibkr ") == 1, 60)
    cases: list[Right | None] = [None, *rights]
    users = {case: f"{feed.name}-{number}" for number, case in enumerate(cases)}
    documents = [
        document
        for case, user in users.items()
        for document in grants(user, [each for each in rights if each != case], feed.name)
    ]
    feed.kubectl.apply(documents)
    full = rights[-1]
    asked = ("auth", "can-i", full.verb, f"{full.resource}.{GROUPS.get(full.resource, 'sluice.dev')}".rstrip("."))
    place = {"the namespace": ("-n", feed.name), SYSTEM: ("-n", SYSTEM)}.get(full.where, ("-A",))
    eventually(lambda: feed.kubectl(*asked, *place, f"--as={users[None]}").startswith("yes"))
    expected, found = {}, {}
    for case, user in users.items():
        prepare(command, feed, plugin)
        done = plugin.run(*words(command, feed.name), f"--as={user}", typed=typed_text(command, feed, case))
        output = done.stdout + done.stderr
        name = "all" if case is None else f"without {case.verb} {case.resource}"
        said = "" if case is None else case.said
        expected[name] = (case.exit_code if case is not None else 0, True)
        found[name] = (done.returncode, said in output if case is not None else "not visible" not in output.lower())
        if found[name] != expected[name]:
            print(f"{name}: {output}")  # noqa: T201
    assert found == expected
