"""`.env.example` lists exactly the variables that a standalone runtime reads, with their defaults.

Also looked for: variables that are read outside of the settings (certificates, Google's own, proxies), aliases that
only a comment names, values in quotation marks, and comments behind a value, which Docker and systemd do not remove.
"""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from google.auth import environment_vars

import sluice_contract
import sluice_runtime
from sluice_contract import identity
from sluice_contract.proxies import proxy_settings
from sluice_runtime.providers.registry import load_provider
from sluice_runtime.sinks.firestore.credentials import EMULATOR_VARIABLE, emulator_address
from sluice_runtime.standalone_settings import job_from_environment, standalone_settings, state_dir

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / ".env.example"
_LINE = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
# Only a pod reads these; the operator sets them.
OF_A_POD = {
    identity.JOB_ENV,
    identity.POD_UID_ENV,
    identity.POD_IP_ENV,
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
}
# The shell's variables, on which the folder for state depends (a comment of the template names them), and the address
# of Google's metadata server, which only a simulation of it changes.
OF_THE_MACHINE = {"XDG_STATE_HOME", "HOME", "GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"}


class RecordingEnvironment(Mapping[str, str]):
    """An environment that records the names that were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def template_lines() -> list[str]:
    return TEMPLATE.read_text().splitlines()


def template_variables() -> dict[str, str]:
    """Return each variable of the template with its value, whether or not its line is a comment."""
    found = [(match[1], match[2]) for line in template_lines() if (match := _LINE.fullmatch(line))]
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def template_environment() -> dict[str, str]:
    """Return the environment of a process that is started with the template, unchanged."""
    return dict(line.split("=", 1) for line in template_lines() if line and not line.startswith("#"))


def template_aliases() -> set[str]:
    """Return the names that only a comment has, such as the second in `(also A, B)`."""
    return {
        name for names in re.findall(r"\(also ([A-Z0-9_, ]+)\)", TEMPLATE.read_text()) for name in names.split(", ")
    }


def variables_that_settings_read() -> set[str]:
    # The last of the names that each value may have, so that all names before it are asked for.
    environment = RecordingEnvironment(
        {"FIRESTORE_TENANT_ID": "acme", "APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret"}
    )
    job = job_from_environment(environment)
    settings = standalone_settings(job, environment, epoch=1, runtime_id=uuid.UUID(int=1))
    state_dir(environment)
    emulator_address(environment)
    load_provider(job.spec.provider).create_clients(settings, environment)
    proxy_settings(environment).proxy_for_url("https://stream.data.alpaca.markets")
    return {name for name in environment.asked if name.isupper()}


def variables_that_the_source_names() -> set[str]:
    """Return the names in `environ.get("NAME")`, `environment["NAME"]` and the like, of the runtime and the contract.

    They are those that a literal names.
    """
    found: set[str] = set()
    for package in (sluice_runtime, sluice_contract):
        for file in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                found |= _names_read_by(node)
    return found


def _names_read_by(node: ast.AST) -> set[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_]):
            pass
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            pass
        case _:
            return set()
    return {name} if ast.unparse(owner).rpartition(".")[2] in ("environ", "environment") else set()


def test_the_template_lists_exactly_the_variables_that_the_runtime_reads() -> None:
    of_google = {environment_vars.CREDENTIALS, environment_vars.PROJECT, environment_vars.LEGACY_PROJECT}
    elsewhere = of_google | {"SSL_CERT_FILE", "SLUICE_HTTP_TOKEN", EMULATOR_VARIABLE}
    read = variables_that_settings_read() | variables_that_the_source_names() | elsewhere
    assert template_variables().keys() | template_aliases() == read - OF_A_POD - OF_THE_MACHINE


def test_the_template_s_variables_are_those_of_the_manual() -> None:
    manual = (ROOT / "docs/runtime.md").read_text()
    section = manual.split("### Environment\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    documented = {name for cell in cells for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)}
    assert documented <= template_variables().keys() | template_aliases()


def test_the_template_has_the_defaults() -> None:
    needed = {"TENANT_ID": "acme", "DRY_RUN": "1"}
    values = template_variables()
    assert job_from_environment({**values, **needed}).spec.limits == job_from_environment(needed).spec.limits
    bare, full = (standalone(environment) for environment in (needed, template_environment()))
    assert full == bare


def standalone(environment: Mapping[str, str]) -> object:
    job = job_from_environment(environment)
    return standalone_settings(job, environment, epoch=1, runtime_id=uuid.UUID(int=1))


def test_each_line_is_one_that_shells_docker_and_systemd_read_alike() -> None:
    values = template_environment()
    assert all(re.fullmatch(r"[\w.,:/-]+", value) for value in values.values()), values


def test_each_variable_has_a_sentence_above_it() -> None:
    lines = template_lines()
    for before, line in pairwise(lines):
        if _LINE.fullmatch(line):
            assert re.match(r"# \S", before), line
