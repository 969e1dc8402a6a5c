"""The recipe of docs/add-a-provider.md: a patch adds provider `toy` to a copy of this repository, which streams it.

Also looked for: a line that the recipe does not name, which the copy's `make crds lint` would report.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from support.site import eventually
from support.standalone import Machine

ROOT = Path(__file__).resolve().parents[2]
PATCH = Path(__file__).with_name("toy_provider.patch")
PACKAGES = (
    "crds",
    "operator",
    "runtime",
    "devcluster",
    "manifests",
    "simulators",
    "clients/python",
    "dashboard/server",
    "cli",
)
MOST_LINES = 150
START_SECONDS = 60.0  # a process that has no compiled modules yet starts slowly on a busy machine


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the repository, apply the patch, and use this repository's virtual environment in the copy."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():  # not a file that has been deleted since the last commit
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    subprocess.run(["git", "apply", PATCH], cwd=folder, check=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def environment_of(copy: Path) -> dict[str, str]:
    """Return the environment in which Python imports the packages of the copy instead of the installed ones."""
    path = os.pathsep.join(str(copy / package / "src") for package in PACKAGES)
    return {**os.environ, "PYTHONPATH": path}


@pytest.fixture
def machine(copy: Path, tmp_path: Path, emulator: str) -> Machine:
    made = Machine(tmp_path, emulator, f"toy-{uuid.uuid4().hex[:8]}")
    made.environment["PYTHONPATH"] = environment_of(copy)["PYTHONPATH"]
    return made


def declare(machine: Machine, **spec: object) -> None:
    """Write the document of a job of provider toy, changed by `spec`."""
    machine.declare(**{"provider": "toy", "synthetic": None, "toy": {"price": 42}, **spec})


def test_the_patch_is_the_recipe_and_has_at_most_150_lines() -> None:
    text = PATCH.read_text()
    files = re.findall(r"^\+\+\+ b/(.+)$", text, re.MULTILINE)
    added = [line for line in text.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert len(added) <= MOST_LINES
    page = (ROOT / "docs/add-a-provider.md").read_text()
    steps = {file.replace("toy", "NAME") if "toy" in Path(file).parts[-1] else file for file in files}
    folder = "runtime/src/sluice_runtime/providers/"
    outside = {file for file in steps if not file.startswith(f"{folder}toy/")}
    assert outside == {
        "crds/src/sluice_contract/NAME.py",
        "crds/src/sluice_contract/spec.py",
        f"{folder}registry.py",
    }
    assert all(f"`{step}`" in page for step in (*outside, f"{folder}NAME/provider.py"))


def test_the_copy_generates_its_crd_and_passes_its_checks(copy: Path) -> None:
    done = subprocess.run(
        ["make", "-o", ".venv/installed", "crds", "lint"],
        cwd=copy,
        env=environment_of(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "toy" in (copy / "crds/ingestjobs.sluice.dev.yaml").read_text()
    assert "Settings of provider toy" in (copy / "docs/ingestjob.md").read_text()


def test_a_process_of_the_copy_imports_the_copy(copy: Path) -> None:
    program = "import sluice_runtime, sluice_contract; print(sluice_runtime.__file__, sluice_contract.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment_of(copy), capture_output=True, text=True, check=True
    )
    assert all(Path(each).is_relative_to(copy) for each in done.stdout.split())


def test_the_quotes_of_the_toy_reach_firestore_and_follow_a_pause_and_a_removal(machine: Machine) -> None:
    declare(machine)
    with machine.running():
        eventually(lambda: len(machine.quotes()) == 2, START_SECONDS)
        quotes = machine.quotes()
        assert {(each["bid"], each["source"]) for each in quotes.values()} == {(42.0, "toy")}
        declare(machine, enabled=False)
        eventually(lambda: machine.status().get("state") == "Paused")
        before = machine.quotes()["SPY"]["seq"]
        time.sleep(1.0)  # ten quotes, if the connection were open
        assert machine.quotes()["SPY"]["seq"] == before
        declare(machine, symbols=["SPY"])
        eventually(lambda: machine.quotes().keys() == {"SPY"} and machine.quotes()["SPY"]["seq"] > before)


def test_a_failure_of_the_toy_has_its_type_and_its_message(machine: Machine) -> None:
    declare(machine, toy={"gate": "locked"})
    with machine.running():
        failure = eventually(lambda: machine.status().get("failure"), START_SECONDS)
        assert (failure["type"], failure["message"]) == ("auth", "the toy is locked; set spec.toy.gate to open")
        eventually(lambda: machine.status()["state"] == "Blocked")


def test_a_block_that_breaks_a_bound_is_refused(machine: Machine) -> None:
    declare(machine, toy={"price": 0})
    code, text = machine.complaint("run", "-f", str(machine.document))
    assert code == 2
    assert "spec.toy.price" in text
