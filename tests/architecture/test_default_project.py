"""The project of a job that names none is the same for every program and in every text."""

import re
from pathlib import Path

from sluice_contract.identity import DEFAULT_PROJECT
from sluice_devcluster import emulator_documents
from sluice_operator.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("crds", "runtime", "operator", "manifests", "devcluster", "clients", "dashboard", "docs", "README.md")
TEXTS = {".py", ".md", ".yaml", ".yml", ".json", ".ts", ".tsx", ".sh"}
# A project whose name begins like this exists only in an emulator.
EMULATOR_PROJECT = re.compile(r"\bdemo-[a-z][a-z-]*|\bgoogle-cloud-firestore-emulator\b")


def emulator_projects(path: Path) -> set[str]:
    return set(EMULATOR_PROJECT.findall(path.read_text(errors="replace")))


def test_the_operator_and_devcluster_use_the_default_project() -> None:
    assert Settings().project_id == emulator_documents.PROJECT == DEFAULT_PROJECT


def test_no_program_or_document_names_another_project_of_the_emulator() -> None:
    found: dict[str, set[str]] = {}
    for source in SOURCES:
        root = ROOT / source
        for path in [root] if root.is_file() else root.rglob("*"):
            tested = path.is_file() and path.suffix in TEXTS and "node_modules" not in path.parts
            if tested and (others := emulator_projects(path) - {DEFAULT_PROJECT}):
                found[str(path.relative_to(ROOT))] = others
    assert found == {}
